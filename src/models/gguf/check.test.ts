import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StepwrightError } from "../../core/errors.js";
import { encodeTinyModel, tinyModelContent, tinyVocabulary } from "../../testing/tiny-model.js";
import { ByteWriter } from "./byte-writer.js";
import { checkHeader, checkModelFile } from "./check.js";
import { fingerprint } from "./fingerprint.js";
import { readHeader } from "./read.js";
import { checkMemory, estimateMemory } from "./size.js";
import { bytesSource } from "./source.js";
import { encodeGguf, type GgufContent, type MetadataEntry, type TensorEntry } from "./write.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stepwright-gguf-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const check = async (bytes: Uint8Array) => checkHeader(await readHeader(bytesSource(bytes)), "test.gguf");

async function refusal(work: Promise<unknown>): Promise<StepwrightError> {
  try {
    await work;
  } catch (error) {
    if (StepwrightError.is(error)) return error;
    throw error;
  }
  throw new Error("was accepted");
}

/** The bytes of a header with what the caller writes after magic, version and counts. */
function header(
  options: { version?: number; tensors?: bigint | number; entries?: bigint | number },
  write: (writer: ByteWriter) => void = () => {},
  padding = 4096,
): Uint8Array {
  const writer = new ByteWriter();
  writer.bytes(Buffer.from("GGUF"));
  writer.scalar("uint32", options.version ?? 3);
  writer.scalar("uint64", options.tensors ?? 0);
  writer.scalar("uint64", options.entries ?? 0);
  write(writer);
  writer.bytes(new Uint8Array(padding));
  const bytes = new Uint8Array(writer.length);
  writer.copyTo(bytes);
  return bytes;
}

interface HostileTensor {
  readonly name?: string;
  readonly dims?: readonly (number | bigint)[];
  readonly count?: number;
  readonly type?: number;
  readonly offset?: number | bigint;
}

function tensor(writer: ByteWriter, options: HostileTensor = {}): void {
  const { name = "w", dims = [4], count = dims.length, type = 0, offset = 0 } = options;
  writer.scalar("string", name);
  writer.scalar("uint32", count);
  for (const length of dims) writer.scalar("int64", length);
  writer.scalar("int32", type);
  writer.scalar("uint64", offset);
}

const tiny = encodeTinyModel();
const u32 = (bytes: Uint8Array, at: number, value: number) => {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
};

describe("a sound file", () => {
  it("gives the figures of its model", async () => {
    const path = join(folder, "tiny.gguf");
    writeFileSync(path, tiny);
    const model = await checkModelFile(path);
    const vocabulary = tinyVocabulary().length;
    const layer = 64 * 64 * 2 + 64 * 32 * 2 + 3 * 64 * 128;
    expect(model.architecture).toBe("llama");
    expect(model.size).toEqual({
      parameters: 2 * (layer + 128) + 64 + 2 * vocabulary * 64,
      multiplied: 2 * layer + vocabulary * 64,
      layers: 2,
      attentionWidth: 64,
      vocabulary,
      context: 512,
      bytes: 4 * (2 * (layer + 128) + 64 + 2 * vocabulary * 64),
    });
    // Two layers of two key-value heads of sixteen, keys and values, two bytes each.
    expect(model.bytesPerContextToken).toBe(2 * 2 * 2 * 16 * 2);
    expect(model.tokenizer).toMatchObject({ model: "gpt2", count: vocabulary, addsBegin: false });
    expect(model.tokenizer.special.map(({ text }) => text)).toEqual([
      "<|endoftext|>",
      "<|im_start|>",
      "<|im_end|>",
    ]);
    expect(model.chatTemplate).toContain("<|im_start|>");
    expect(model.weightType).toBe("F32");
  });

  it("counts the embedding as the output matrix where they are one", async () => {
    const [untied, tied] = await Promise.all([check(tiny), check(encodeTinyModel({ tied: true }))]);
    expect(tied.size.multiplied).toBe(untied.size.multiplied);
    expect(tied.size.parameters).toBe(untied.size.parameters - tinyVocabulary().length * 64);
  });

  it("counts of a mixture's experts those that a token uses", async () => {
    const content = tinyModelContent();
    const experts: TensorEntry = {
      name: "blk.0.ffn_up_exps.weight",
      shape: [64, 8, 4],
      type: "F32",
      data: new Float32Array(64 * 8 * 4),
    };
    const counts: MetadataEntry[] = [
      { key: "llama.expert_count", type: "uint32", value: 4 },
      { key: "llama.expert_used_count", type: "uint32", value: 1 },
    ];
    const mixture = await check(
      encodeGguf({ metadata: [...content.metadata, ...counts], tensors: [...content.tensors, experts] }),
    );
    expect(mixture.size.multiplied - (await check(tiny)).size.multiplied).toBe(64 * 8);
  });

  it("reads version 2 and every metadata type", async () => {
    const values: MetadataEntry[] = [
      { key: "a", type: "uint8", value: 200 },
      { key: "b", type: "int8", value: -3 },
      { key: "c", type: "uint16", value: 60_000 },
      { key: "d", type: "int16", value: -300 },
      { key: "e", type: "uint32", value: 4_000_000_000 },
      { key: "f", type: "int32", value: -70_000 },
      { key: "g", type: "float32", value: 1.5 },
      { key: "h", type: "bool", value: true },
      { key: "i", type: "string", value: "grüße" },
      { key: "j", type: "uint64", value: 2n ** 63n },
      { key: "k", type: "int64", value: -5n },
      { key: "l", type: "float64", value: Math.PI },
      { key: "m", type: "array", of: "int16", value: [1, -2] },
      { key: "n", type: "array", of: "string", value: ["x", "", "yz"] },
    ];
    const { metadata } = await readHeader(
      bytesSource(u32(encodeGguf({ metadata: values, tensors: [] }), 4, 2)),
    );
    const read = Object.fromEntries(
      [...metadata].map(([key, entry]) => [
        key,
        entry.type === "array" ? (entry.values ?? entry.count) : entry.value,
      ]),
    );
    expect(read).toEqual({
      ...{ a: 200, b: -3, c: 60_000, d: -300, e: 4_000_000_000, f: -70_000, g: 1.5, h: true, i: "grüße" },
      ...{ j: 2n ** 63n, k: -5, l: Math.PI, m: [1, -2], n: 3 },
    });
  });

  it("keeps other alignments", async () => {
    const file = encodeGguf({ ...tinyModelContent(), alignment: 256 });
    const { alignment, tensors, dataOffset } = await readHeader(bytesSource(file));
    expect(alignment).toBe(256);
    for (const { offset } of tensors) expect((offset - dataOffset) % 256).toBe(0);
  });
});

describe("reliability case 44: damaged beginnings", () => {
  it("names the fault of a header cut at every 1/64th", async () => {
    const { dataOffset } = await readHeader(bytesSource(tiny));
    for (let part = 0; part < 64; part++) {
      const error = await refusal(check(tiny.slice(0, Math.floor((dataOffset * part) / 64))));
      expect(error.code).toBe("model-invalid");
      expect(error.message).toMatch(/inside its header|shorter than any header|empty|more than the file/);
    }
  });

  it("sees weights that are cut short", async () => {
    expect((await refusal(check(tiny.slice(0, tiny.length - 32)))).message).toMatch(/cut short/);
  });

  it.each([
    ["another magic", u32(tiny, 0, 0x46464647), /begins with "GFFF"/],
    ["version 0", u32(tiny, 4, 0), /version 0 is not supported/],
    ["version 1", u32(tiny, 4, 1), /version 1 is not supported/],
    ["version 99", u32(tiny, 4, 99), /version 99 is newer/],
    ["big-endian", u32(tiny, 4, 0x03000000), /big-endian/],
  ])("refuses %s", async (_, bytes, message) => {
    const error = await refusal(check(bytes));
    expect(error).toMatchObject({ code: "model-invalid", subject: "bytes" });
    expect(error.message).toMatch(message);
    expect(error.remedy).toBeTruthy();
  });
});

describe("reliability case 45: hostile headers", () => {
  const entry = (key: string, type: number, rest: (writer: ByteWriter) => void) =>
    header({ entries: 1 }, (writer) => {
      writer.scalar("string", key);
      writer.scalar("int32", type);
      rest(writer);
    });
  const array = (of: number, count: bigint) =>
    entry("a", 9, (writer) => {
      writer.scalar("int32", of);
      writer.scalar("uint64", count);
    });
  const shaped = (...dims: (number | bigint)[]) =>
    header({ tensors: 1 }, (writer) => tensor(writer, { dims }));
  const two = (second: HostileTensor, first: HostileTensor = {}) =>
    header({ tensors: 2 }, (writer) => {
      tensor(writer, { name: "a", ...first });
      tensor(writer, { name: "b", ...second });
    });

  it.each([
    ["2^63 tensors", header({ tensors: 2n ** 63n }), /declares -9223372036854775808 tensors/],
    ["2^62 tensors", header({ tensors: 2n ** 62n }), /declares 4611686018427387904 tensors/],
    ["2^63 entries", header({ entries: 2n ** 63n }), /metadata entries/],
    [
      "a key of 2^40 bytes",
      header({ entries: 1 }, (w) => w.scalar("uint64", 2n ** 40n)),
      /key has 1099511627776 bytes/,
    ],
    ["an empty key", entry("", 0, () => {}), /key is empty/],
    ["a key with a zero byte", entry("a\0b", 0, (w) => w.scalar("uint8", 1)), /zero byte/],
    ["an unknown value type", entry("a", 13, () => {}), /no known type/],
    ["a negative value type", entry("a", -1, () => {}), /no known type/],
    ["a text of 2^40 bytes", entry("a", 8, (w) => w.scalar("uint64", 2n ** 40n)), /inside its header/],
    [
      "a text of 2^64 - 1 bytes",
      entry("a", 8, (w) => w.scalar("uint64", 2n ** 64n - 1n)),
      /inside its header/,
    ],
    ["an array of arrays", array(9, 1n), /arrays as elements/],
    ["an array of 2^61 numbers", array(10, 2n ** 61n), /more than the file has room for/],
    ["an array of 2^64 - 1 texts", array(8, 2n ** 64n - 1n), /more than the file has room for/],
    ["an array of 2^64 - 1 bytes", array(0, 2n ** 64n - 1n), /more than the file has room for/],
    ["a negative dimension", shaped(4, -4), /dimension of -4/],
    ["a zero dimension", shaped(4, 0), /dimension of 0/],
    ["a dimension product that wraps to 0", shaped(2n ** 32n, 2n ** 32n), /more elements than any file/],
    ["a dimension product that wraps to 4", shaped(2n ** 62n + 1n, 4), /more elements than any file/],
    ["a size beyond the file", shaped(2n ** 40n), /more than the file's/],
    [
      "five dimensions",
      header({ tensors: 1 }, (w) => tensor(w, { dims: [1, 1, 1, 1, 1] })),
      /has 5 dimensions/,
    ],
    ["2^32 - 1 dimensions", header({ tensors: 1 }, (w) => tensor(w, { count: 2 ** 32 - 1 })), /dimensions/],
    ["a type that was removed", header({ tensors: 1 }, (w) => tensor(w, { type: 4 })), /unknown type 4/],
    ["a type of -1", header({ tensors: 1 }, (w) => tensor(w, { type: -1 })), /unknown type -1/],
    [
      "a row of half a block",
      header({ tensors: 1 }, (w) => tensor(w, { dims: [48], type: 2 })),
      /whole blocks/,
    ],
    ["an offset beyond the file", two({ offset: 1n << 40n }), /cut short/],
    ["an offset that wraps", two({ offset: 2n ** 64n - 32n }), /cut short/],
    ["overlapping tensors", two({ offset: 0 }), /"b" overlaps/],
    ["tensors in reverse", two({ offset: 0 }, { offset: 32 }), /gap before tensor "a"/],
    ["an unaligned tensor", two({ offset: 16 }), /not aligned to 32/],
    ["a gap", two({ offset: 64 }), /gap before tensor "b"/],
    ["one name twice", two({ name: "a", offset: 32 }), /two tensors are named "a"/],
    [
      "a name of 64 bytes",
      header({ tensors: 1 }, (w) => tensor(w, { name: "n".repeat(64) })),
      /name has 64 bytes/,
    ],
  ])("refuses %s", async (_, bytes, message) => {
    const error = await refusal(readHeader(bytesSource(bytes)));
    expect(error.code).toBe("model-invalid");
    expect(error.message).toMatch(message);
  });

  it("refuses one key twice, and bad alignments", async () => {
    const content = tinyModelContent();
    const twice = content.metadata.find(({ key }) => key === "general.name")!;
    const withEntry = (...more: MetadataEntry[]) =>
      check(encodeGguf({ ...content, metadata: [...content.metadata, ...more] }));
    expect((await refusal(withEntry(twice))).message).toMatch(/"general.name" appears twice/);
    for (const value of [0, 3, 4, 48, 2 ** 30]) {
      const error = await refusal(withEntry({ key: "general.alignment", type: "uint32", value }));
      expect(error.message).toMatch(/alignment is/);
    }
    const typed = await refusal(withEntry({ key: "general.alignment", type: "uint64", value: 32 }));
    expect(typed.message).toMatch(/not uint32/);
  });

  it("keeps no long array and no long text", async () => {
    const count = 200_000;
    const content: GgufContent = {
      metadata: [
        { key: "long", type: "array", of: "float32", value: new Array(count).fill(1) },
        { key: "text", type: "string", value: "x".repeat(2 ** 20 + 1) },
        { key: "after", type: "uint8", value: 9 },
      ],
      tensors: [],
    };
    const { metadata } = await readHeader(bytesSource(encodeGguf(content)));
    expect(metadata.get("long")).toEqual({ type: "array", of: "float32", count, values: null });
    expect(metadata.get("text")).toEqual({ type: "string", value: null, bytes: 2 ** 20 + 1 });
    expect(metadata.get("after")).toEqual({ type: "uint8", value: 9 });
  });

  it("stops at a header of more than 128 MiB", async () => {
    const source = {
      ...bytesSource(
        header({ entries: 2 }, (w) => {
          w.scalar("string", "a");
          w.scalar("int32", 8);
          w.scalar("uint64", 2 ** 28);
        }),
      ),
      size: 2 ** 34,
    };
    expect((await refusal(readHeader(source))).message).toMatch(/longer than 128 MiB/);
  });
});

describe("models that libllama would abort on", () => {
  const withEntries = (...more: MetadataEntry[]) => check(encodeTinyModel({ metadata: more }));
  const count = (key: string, value: number): MetadataEntry => ({
    key: `llama.${key}`,
    type: "uint32",
    value,
  });

  it.each([
    ["no layers", count("block_count", 0), /block_count" is 0/],
    ["too many layers", count("block_count", 513), /block_count" is 513/],
    ["a text for a number", { key: "llama.block_count", type: "string", value: "2" }, /of type string/],
    [
      "a fraction for a number",
      { key: "llama.context_length", type: "float32", value: 1.5 },
      /of type float32/,
    ],
    ["heads that do not divide the width", count("attention.head_count", 5), /cannot be divided into 5/],
    ["unequal sharing of heads", count("attention.head_count_kv", 3), /4 attention heads over 3/],
    ["more experts used than there are", count("expert_used_count", 2), /uses 2 of 0 experts/],
    [
      "an unknown position scaling",
      { key: "llama.rope.scaling.type", type: "string", value: "x" },
      /position scaling/,
    ],
    [
      "an architecture that is a path",
      { key: "general.architecture", type: "string", value: "../x" },
      /not a name/,
    ],
    ["an adapter", { key: "general.type", type: "string", value: "adapter" }, /not a language model/],
    [
      "a token twice",
      { key: "tokenizer.ggml.tokens", type: "array", of: "string", value: ["a", "b", "a"] },
      /tokens 0 and 2 are both "a"/,
    ],
    ["no tokens", { key: "tokenizer.ggml.tokens", type: "array", of: "string", value: [] }, /no tokens/],
    [
      "too few token types",
      { key: "tokenizer.ggml.token_type", type: "array", of: "int32", value: [1] },
      /no token_type for each/,
    ],
    [
      "merges that are numbers",
      { key: "tokenizer.ggml.merges", type: "array", of: "int32", value: [1] },
      /merges/,
    ],
    [
      "a negative epsilon",
      { key: "llama.attention.layer_norm_rms_epsilon", type: "float32", value: -1 },
      /layer_norm_rms_epsilon is -1/,
    ],
    [
      "an epsilon that is no number",
      { key: "llama.attention.layer_norm_rms_epsilon", type: "float32", value: Number.NaN },
      /layer_norm_rms_epsilon is NaN/,
    ],
    ["no tokenizer", { key: "tokenizer.ggml.model", type: "string", value: "none" }, /no tokenizer/],
    ["groups of no experts", count("expert_group_count", 2), /groups of 0 experts/],
    [
      "a SentencePiece vocabulary without bytes",
      { key: "tokenizer.ggml.model", type: "string", value: "llama" },
      /lacks the token <0x00>/,
    ],
  ] satisfies [string, MetadataEntry, RegExp][])("refuses %s", async (_, entry, message) => {
    const error = await refusal(withEntries(entry));
    expect(error.code).toBe("model-invalid");
    expect(error.message).toMatch(message);
  });

  it.each(["blk.0.attn_q.weight", "token_embd.weight", "output_norm.weight"])(
    "refuses %s in integers or in a type of computations only",
    async (name) => {
      for (const type of ["I32", "F64", "Q8_1"]) {
        const { metadata, tensors } = tinyModelContent({ width: 64 });
        const stored = tensors.map((tensor) => {
          if (tensor.name !== name) return tensor;
          const elements = tensor.shape.reduce((product, length) => product * length, 1);
          const bytes = { I32: elements * 4, F64: elements * 8, Q8_1: (elements / 32) * 36 }[type]!;
          return { ...tensor, type, data: new Uint8Array(bytes) };
        });
        const error = await refusal(check(encodeGguf({ metadata, tensors: stored })));
        expect(error.message).toContain(`tensor "${name}" is stored as ${type}`);
      }
    },
  );

  it("refuses a file of vocabulary only", async () => {
    const { metadata } = tinyModelContent();
    expect((await refusal(check(encodeGguf({ metadata, tensors: [] })))).message).toMatch(/no weights/);
  });
});

describe("what lies at the path", () => {
  it("refuses a missing file, a directory and a pipe, and follows links", async () => {
    expect((await refusal(checkModelFile(join(folder, "none.gguf")))).code).toBe("model-not-found");
    mkdirSync(join(folder, "directory.gguf"));
    const directory = await refusal(checkModelFile(join(folder, "directory.gguf")));
    expect(directory).toMatchObject({ code: "model-invalid" });
    expect(directory.message).toMatch(/is a directory/);
    writeFileSync(join(folder, "empty.gguf"), "");
    expect((await refusal(checkModelFile(join(folder, "empty.gguf")))).message).toMatch(/it is empty/);
    if (process.platform === "win32") return;
    execFileSync("mkfifo", [join(folder, "pipe.gguf")]);
    expect((await refusal(checkModelFile(join(folder, "pipe.gguf")))).message).toMatch(/not a regular file/);
    expect((await refusal(checkModelFile("/dev/zero"))).message).toMatch(/not a regular file/);
    writeFileSync(join(folder, "target.gguf"), tiny);
    symlinkSync(join(folder, "target.gguf"), join(folder, "link.gguf"));
    const linked = await checkModelFile(join(folder, "link.gguf"));
    expect(linked.parts[0]!.path).toMatch(/target\.gguf$/);
    symlinkSync(join(folder, "loop.gguf"), join(folder, "loop.gguf"));
    expect((await refusal(checkModelFile(join(folder, "loop.gguf")))).code).toBe("model-not-found");
  });

  it("checks every part of a split model", async () => {
    const { metadata, tensors } = tinyModelContent();
    const part = (index: number, from: number, to: number) =>
      encodeGguf({
        metadata: [
          ...(index === 0 ? metadata : []),
          { key: "split.no", type: "uint16", value: index },
          { key: "split.count", type: "uint16", value: 2 },
        ],
        tensors: tensors.slice(from, to),
      });
    const paths = [1, 2].map((number) => join(folder, `parts-0000${number}-of-00002.gguf`));
    writeFileSync(paths[0]!, part(0, 0, 5));
    expect((await refusal(checkModelFile(paths[0]!))).code).toBe("model-not-found");
    writeFileSync(paths[1]!, part(1, 5, 100));
    const model = await checkModelFile(paths[0]!);
    expect(model.parts.length).toBe(2);
    expect(model.size).toEqual((await check(tiny)).size);
    expect((await refusal(checkModelFile(paths[1]!))).remedy).toMatch(/-00001-of-00002\.gguf/);
    writeFileSync(paths[1]!, part(1, 4, 100));
    expect((await refusal(checkModelFile(paths[0]!))).message).toMatch(/two of its parts hold/);
  });
});

describe("memory, reliability case 50", () => {
  it("refuses by estimate before loading", async () => {
    const path = join(folder, "memory.gguf");
    writeFileSync(path, tiny);
    const model = await checkModelFile(path);
    const estimate = estimateMemory(model, { cells: 1000 });
    expect(estimate.weights).toBe(model.size.bytes);
    expect(estimate.cache).toBe(model.bytesPerContextToken * 1000);
    expect(() => checkMemory(model, { cells: 1000, availableBytes: estimate.total })).not.toThrow();
    try {
      checkMemory(model, { cells: 1000, availableBytes: estimate.total - 1 });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "model-too-large", subject: path });
    }
    // More cells than any machine has room for.
    expect(() => checkMemory(model, { cells: 2 ** 44 })).toThrow(/are available/);
  });
});

describe("fingerprint", () => {
  it("is equal for equal files and changes with any byte of a small one", async () => {
    const write = async (name: string, bytes: Uint8Array) => {
      writeFileSync(join(folder, name), bytes);
      return fingerprint((await checkModelFile(join(folder, name))).parts);
    };
    const first = await write("f1.gguf", tiny);
    expect(first).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(await write("f2.gguf", tiny)).toBe(first);
    const changed = tiny.slice();
    changed[changed.length - 1000]! ^= 1;
    expect(await write("f3.gguf", changed)).not.toBe(first);
  });

  it("samples every tensor of a large file", async () => {
    const content = tinyModelContent();
    const large = (fill: number): TensorEntry => ({
      name: "large.weight",
      shape: [1024, 17 * 1024],
      type: "F32",
      data: new Float32Array(17 * 2 ** 20).fill(fill),
    });
    const print = async (tensors: TensorEntry[]) => {
      const path = join(folder, "large.gguf");
      writeFileSync(path, encodeGguf({ ...content, tensors }));
      return fingerprint((await checkModelFile(path)).parts);
    };
    const first = await print([...content.tensors, large(1)]);
    expect(first).toMatch(/^sampled-/);
    expect(await print([...content.tensors, large(1)])).toBe(first);
    expect(await print([...content.tensors, large(2)])).not.toBe(first);
    const [head, ...rest] = content.tensors;
    const moved = { ...head!, data: (head!.data as Float32Array).map((weight) => weight * 1.001) };
    expect(await print([moved, ...rest, large(1)])).not.toBe(first);
  });
});
