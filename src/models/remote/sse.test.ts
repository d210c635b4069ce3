import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventData, StreamFault } from "./sse.js";

async function* chunked(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].map((each) => each % (bytes.length + 1)).sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut);
    from = cut;
  }
  yield bytes.subarray(from);
}

async function read(text: string, cuts: readonly number[] = [], most = 1000): Promise<string[]> {
  const all: string[] = [];
  for await (const data of eventData(chunked(new TextEncoder().encode(text), cuts), most)) all.push(data);
  return all;
}

describe("an event stream", () => {
  test.each([
    ["data: a\n\ndata: b\n\n", ["a", "b"]],
    ["data:a\r\n\r\ndata: b\r\rdata:  c\n\n", ["a", "b", " c"]],
    [": ping\n\nevent: x\nid: 7\nretry: 1\ndata: a\ndata: b\n\n", ["a\nb"]],
    ["data\n\ndata: é東🙂\n\n", ["", "é東🙂"]],
    ["data: whole\n\ndata: cut off", ["whole"]],
    ["", []],
  ])("%j", async (text, events) => {
    expect(await read(text)).toEqual(events);
  });

  test("is the same however it is cut into chunks", async () => {
    const line = fc.constantFrom("data: é東🙂", "data: a: b", ": ping", "", "", "id: 1", "data");
    const text = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n", "\r")), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(400), { maxLength: 40 }), async (lines, cuts) => {
        const whole = lines.flat().join("");
        expect(await read(whole, cuts)).toEqual(await read(whole));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["<html>\n"],
    ["event stream\n\n"],
    [`data: ${"x".repeat(2000)}\n\n`],
    [`${"data: xxxxxxxxxx\n".repeat(200)}\n`],
  ])("refuses %.20j", async (text) => {
    await expect(read(text)).rejects.toThrow(StreamFault);
  });

  test("refuses what is no UTF-8", async () => {
    const bytes = Uint8Array.of(0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 10, 10);
    const reading = (async () => {
      for await (const _ of eventData(chunked(bytes, []), 100));
    })();
    await expect(reading).rejects.toThrow(/UTF-8/);
  });
});
