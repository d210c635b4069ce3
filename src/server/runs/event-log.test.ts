import { expect, test } from "vitest";
import type { TraceEvent } from "../../core/trace-event.js";
import type { NumberedEvent } from "../types.js";
import { EventLog, readRecords } from "./event-log.js";

const written = (node: string, text: string) =>
  ({ type: "step-written", node, role: "draft", text }) as TraceEvent;
const piece = (node: string, text: string) => ({ type: "text-written", node, role: "draft", text }) as const;
const committed = (node: string) => ({ type: "step-committed", node, elapsed: 0 }) as const;

async function all(events: AsyncIterable<NumberedEvent>): Promise<NumberedEvent[]> {
  const found: NumberedEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

function textOf(events: readonly NumberedEvent[]): string {
  return events.map(({ event }) => (event.type === "text-written" ? event.text : "")).join("");
}

test("readers at any time have the same numbered events; pieces of text come to those who are there", async () => {
  const log = new EventLog();
  const early = all(log.read());
  log.append(piece("a", "on"));
  await new Promise(setImmediate);
  log.append(piece("a", "e"));
  log.append(written("a", "one"));
  log.append(committed("a"));
  const late = all(log.read());
  log.close();
  const numbered = (events: readonly NumberedEvent[]) => events.filter(({ index }) => index !== null);
  expect(numbered(await early)).toEqual(numbered(await late));
  expect(numbered(await late).map(({ index }) => index)).toEqual([0, 1]);
  expect(textOf(await early)).toBe("on");
});

test("who wants whole texts has every character once, however late", async () => {
  const log = new EventLog();
  const early = all(log.read({ text: "whole" }));
  log.append(piece("a", "on"));
  await new Promise(setImmediate);
  log.append(piece("a", "e"));
  log.append(written("a", "one"));
  log.close();
  const late = await all(log.read({ text: "whole" }));
  expect(textOf(await early)).toBe("one");
  expect(textOf(late)).toBe("one");
  expect(late.map(({ event }) => event.type)).toEqual(["text-written", "step-written"]);
});

test("goes on exactly after the number that a reader has had, also from records that are kept", async () => {
  const records = [written("a", "one"), committed("a"), written("a.a", "two")];
  const log = new EventLog(records);
  log.close();
  for (const after of [-1, 0, 1, 2, 99]) {
    const expected = records.map((event, index) => ({ index, event })).slice(after + 1);
    expect(await all(log.read({ after }))).toEqual(expected);
    expect(await all(readRecords(records, { after }))).toEqual(expected);
  }
});

test("a reader who stops in the middle holds nobody up", async () => {
  const log = new EventLog();
  const reader = log.read();
  log.append(committed("a"));
  expect((await reader.next()).value).toMatchObject({ index: 0 });
  await reader.return();
  log.append(committed("b"));
  log.close();
  expect(await all(log.read())).toHaveLength(2);
});
