import { Hono } from "hono";
import { expect, test } from "vitest";
import type { LeaveReason, ServerEnvironment } from "../types.js";
import { type StreamOptions, streamResponse } from "./event-stream.js";

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

async function respond(source: AsyncIterable<string>, options: Partial<StreamOptions> = {}) {
  const reasons: LeaveReason[] = [];
  const app = new Hono<ServerEnvironment>().get("/", (c) =>
    streamResponse(c, source, {
      stallSeconds: 30,
      streamBytes: 4000,
      onEnd: (reason) => reasons.push(reason),
      ...options,
    }),
  );
  return { response: await app.request("/"), reasons };
}

async function* frames(count: number, wait?: () => Promise<unknown>): AsyncGenerator<string> {
  for (let index = 0; index < count; index++) {
    await wait?.();
    yield `data: ${index}\n\n`;
  }
}

async function chunksOf(response: Response): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) chunks.push(chunk);
  return chunks;
}

test("frames that are there together leave together, whole and in order, within the limit of a chunk", async () => {
  const { response, reasons } = await respond(frames(500));
  const chunks = await chunksOf(response);
  expect(chunks.join("")).toBe(Array.from({ length: 500 }, (_, index) => `data: ${index}\n\n`).join(""));
  expect(chunks.length).toBeLessThan(100);
  for (const chunk of chunks) expect(chunk.length).toBeLessThan(1000 + 20);
  expect(reasons).toEqual(["done"]);
});

test("the source is asked for nothing before the reader takes what there is", async () => {
  let asked = 0;
  async function* source() {
    for (;;) {
      asked++;
      yield "data: x\n\n".padStart(2000, ":");
    }
  }
  const { response, reasons } = await respond(source());
  const reader = response.body!.getReader();
  await reader.read();
  await turn();
  const had = asked;
  await turn();
  expect([had, asked]).toEqual([1, 1]);
  await reader.cancel();
  expect(reasons).toEqual(["closed"]);
});

test("silence is filled with comments, and nothing is lost by them", async () => {
  const { response } = await respond(
    frames(2, () => new Promise((resolve) => setTimeout(resolve, 60))),
    { pingSeconds: 0.02 },
  );
  const text = (await chunksOf(response)).join("");
  expect(text).toContain(": ping\n\n");
  expect(text.replaceAll(": ping\n\n", "")).toBe("data: 0\n\ndata: 1\n\n");
});

test("a reader that takes nothing more is given up", async () => {
  const { response, reasons } = await respond(frames(1000), { stallSeconds: 0.05 });
  await response.body!.getReader().read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(reasons).toEqual(["stalled"]);
});

test("a source that fails breaks the stream off, after what came before", async () => {
  async function* source() {
    yield "data: 0\n\n";
    throw new Error("broken");
  }
  const { response, reasons } = await respond(source());
  const reader = response.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("data: 0\n\n");
  await expect(reader.read()).rejects.toThrow("broken");
  expect(reasons).toEqual(["closed"]);
});
