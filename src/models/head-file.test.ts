import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesSource } from "./gguf/source.js";
import { encodeGguf, halfBits } from "./gguf/write.js";
import { loadHead, readHead } from "./head-file.js";
import { halfValue } from "./plain-numbers.js";

/** A safetensors file of these entries; the bytes are laid one after the other. */
function safetensors(
  entries: Record<string, { dtype: string; shape: number[]; bytes: Uint8Array }>,
): Uint8Array {
  let offset = 0;
  const table: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const [name, { dtype, shape, bytes }] of Object.entries(entries)) {
    table[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  return withHeader(JSON.stringify(table), ...Object.values(entries).map(({ bytes }) => bytes));
}

function withHeader(header: string, ...data: Uint8Array[]): Uint8Array {
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([start, Buffer.from(header), ...data]);
}

const floats = (values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const words = (values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

const good = safetensors({
  "v_head.summary.weight": { dtype: "F32", shape: [1, 3], bytes: floats([1, -2, 0.5]) },
  "v_head.summary.bias": {
    dtype: "F64",
    shape: [1],
    bytes: new Uint8Array(Float64Array.from([0.25]).buffer),
  },
  "score.0.weight": { dtype: "F16", shape: [2, 2], bytes: words([0x3c00, 0xc000, 0x0001, 0x3555]) },
  "score.0.bias": { dtype: "BF16", shape: [2], bytes: words([0x3f80, 0xc040]) },
  packed: { dtype: "I8", shape: [1], bytes: new Uint8Array(1) },
});

test("safetensors: every plain format, asked tensors only", async () => {
  const names = ["v_head.summary.weight", "v_head.summary.bias", "score.0.weight", "score.0.bias", "absent"];
  const tensors = await readHead(bytesSource(good), names);
  expect([...tensors.keys()]).toEqual(names.slice(0, 4));
  expect(tensors.get(names[0]!)).toEqual({ shape: [1, 3], values: Float32Array.of(1, -2, 0.5) });
  expect(tensors.get(names[1]!)!.values[0]).toBe(0.25);
  expect([...tensors.get(names[2]!)!.values]).toEqual([1, -2, 2 ** -24, Math.fround(0x555 / 4096)]);
  expect([...tensors.get(names[3]!)!.values]).toEqual([1, -3]);
});

test("GGUF: rows come first, whatever order the file lists dimensions in", async () => {
  const file = encodeGguf({
    metadata: [{ key: "general.architecture", type: "string", value: "head" }],
    tensors: [
      { name: "score.weight", shape: [3, 2], type: "F32", data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: "score.bias", shape: [2], type: "F16", data: Float32Array.of(-1, 0.5) },
    ],
  });
  const tensors = await readHead(bytesSource(file), ["score.weight", "score.bias"]);
  expect(tensors.get("score.weight")).toEqual({ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) });
  expect([...tensors.get("score.bias")!.values]).toEqual([-1, 0.5]);
});

test("16-bit floats decode to what was encoded", () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = halfValue(bits);
    if (Number.isNaN(value)) expect(bits & 0x7c00).toBe(0x7c00);
    else if (halfBits(value) !== bits) throw new Error(`bits ${bits} decode to ${value}`);
  }
});

describe("files that are refused", () => {
  const refuse = (bytes: Uint8Array, names = ["a"]) =>
    expect(readHead(bytesSource(bytes), names)).rejects.toMatchObject({ code: "model-invalid" });
  const entry = (value: unknown) => withHeader(JSON.stringify({ a: value }), new Uint8Array(8));

  test.each([
    ["empty", new Uint8Array(0)],
    ["header longer than the file", Buffer.from("ffffffffffffff7f00", "hex")],
    ["not JSON", withHeader("{")],
    ["a list", withHeader("[]")],
    ["no offsets", entry({ dtype: "F32", shape: [1] })],
    ["negative offset", entry({ dtype: "F32", shape: [1], data_offsets: [-4, 0] })],
    ["beyond the end", entry({ dtype: "F32", shape: [3], data_offsets: [0, 12] })],
    ["shape and bytes disagree", entry({ dtype: "F32", shape: [3], data_offsets: [0, 8] })],
    ["shape overflow", entry({ dtype: "F32", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 8] })],
    ["integers", entry({ dtype: "I64", shape: [1], data_offsets: [0, 8] })],
    ["a name of the prototype as type", entry({ dtype: "constructor", shape: [1], data_offsets: [0, 8] })],
  ])("%s", (_, bytes) => refuse(bytes));

  test("a packed GGUF type", () =>
    refuse(
      encodeGguf({
        metadata: [],
        tensors: [{ name: "a", shape: [32], type: "Q8_0", data: new Uint8Array(34) }],
      }),
    ));

  test("random damage is refused or read, never a crash", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), async (at, byte, end) => {
        const damaged = Buffer.from(good);
        damaged[at] = byte;
        const names = ["v_head.summary.weight", "score.0.weight"];
        const read = await readHead(bytesSource(damaged.subarray(0, end)), names).catch((error) => error);
        if (!(read instanceof Map)) expect(read).toMatchObject({ code: "model-invalid" });
      }),
      { numRuns: 2000 },
    );
  });
});

describe("from disk", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stepwright-head-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("reads a file, and names one that is missing", async () => {
    const path = join(folder, "head.safetensors");
    await writeFile(path, good);
    expect((await loadHead(path, ["v_head.summary.weight"])).size).toBe(1);
    await expect(loadHead(join(folder, "none"), ["a"])).rejects.toMatchObject({
      code: "model-not-found",
    });
  });
});
