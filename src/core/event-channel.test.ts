import { expect, test } from "vitest";
import { EventChannel } from "./event-channel.js";
import type { RunEvent } from "./trace-event.js";

const text = (node: string, piece: string): RunEvent => ({
  type: "text-written",
  node,
  role: "draft",
  text: piece,
});
const committed = (node: string): RunEvent => ({ type: "step-committed", node, elapsed: 0 });

test("a slow reader gets everything in order", async () => {
  const channel = new EventChannel();
  const seen: RunEvent[] = [];
  const reading = (async () => {
    for await (const event of channel) {
      seen.push(event);
      await new Promise(setImmediate);
    }
  })();
  for (let index = 0; index < 50; index++) {
    channel.push(committed(String(index)));
    if (index % 7 === 0) await new Promise(setImmediate);
  }
  channel.close();
  await reading;
  expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => committed(String(index))));
});

test("unread text is kept as one piece per step", async () => {
  const channel = new EventChannel();
  for (let index = 0; index < 10_000; index++) channel.push(text("0", "ab"));
  channel.push(committed("0"));
  channel.push(text("0.0", "c"));
  channel.push(text("0.1", "d"));
  channel.close();
  const seen: RunEvent[] = [];
  for await (const event of channel) seen.push(event);
  expect(seen).toEqual([text("0", "ab".repeat(10_000)), committed("0"), text("0.0", "c"), text("0.1", "d")]);
});

test("a reader who leaves ends the keeping", async () => {
  const channel = new EventChannel();
  channel.push(committed("0"));
  for await (const _ of channel) break;
  channel.push(committed("1"));
  channel.close();
  await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "internal" });
});
