import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StepwrightError } from "../core/errors.js";
import { bigramWeights, tinyToken, tinyVocabulary, writeTinyModel } from "../testing/tiny-model.js";
import { loadLlamaNativeModel } from "./llama-native-model.js";
import type { BatchToken, NativeModel, NativeModelOptions, Row, RowRequest } from "./native-model.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-native-"));
const tiny = join(folder, "tiny.gguf");
const opened: NativeModel[] = [];

beforeAll(() => writeTinyModel(tiny, { seed: 3, context: 4096 }));
afterAll(() => {
  for (const model of opened) model.close();
  rmSync(folder, { recursive: true });
});

async function load(options: Partial<NativeModelOptions> = {}): Promise<NativeModel> {
  const model = await loadLlamaNativeModel({
    path: tiny,
    cells: 512,
    sequences: 8,
    batchTokens: 128,
    ...options,
  });
  opened.push(model);
  return model;
}

async function failure(work: Promise<unknown>): Promise<StepwrightError> {
  return work.then(
    () => {
      throw new Error("nothing was thrown");
    },
    (error) => {
      expect(StepwrightError.is(error)).toBe(true);
      return error;
    },
  );
}

const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, bits: 0 };

function request(output: number, more: Partial<RowRequest> = {}): RowRequest {
  return { output, draw: null, topK: 0, tokens: [], row: false, ...more };
}

/** The passage in one sequence, with an output after its last token. */
function passage(tokens: readonly number[], sequence: number, from = 0): BatchToken[] {
  return tokens.map((token, index) => ({
    token,
    position: from + index,
    sequences: [sequence],
    output: index === tokens.length - 1,
  }));
}

async function decode(model: NativeModel, batch: readonly BatchToken[], hidden = false): Promise<void> {
  expect(await model.decode(batch, { hidden })).toBe(0);
}

/** Log-probability rows after each token, passed one by one. */
async function rowsAfter(
  model: NativeModel,
  tokens: readonly number[],
  sequence: number,
  from = 0,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (const [index, token] of tokens.entries()) {
    await decode(model, passage([token], sequence, from + index));
    rows.push(onlyRow(model, { row: true }).row!);
  }
  return rows;
}

function onlyRow(model: NativeModel, more: Partial<RowRequest> = {}, output = 0): Row {
  return model.readRows([request(output, more)])[0]!;
}

async function write(
  model: NativeModel,
  tokens: readonly number[],
  sequence: number,
  count: number,
): Promise<number[]> {
  await decode(model, passage(tokens, sequence));
  const written: number[] = [];
  for (;;) {
    const { token } = onlyRow(model, { draw: greedy });
    written.push(token);
    if (written.length === count || model.info.endTokens.includes(token)) return written;
    await decode(model, passage([token], sequence, tokens.length + written.length - 1));
  }
}

function largestDifference(left: Float32Array, right: Float32Array): number {
  return left.reduce((largest, value, index) => Math.max(largest, Math.abs(value - right[index]!)), 0);
}

const passageTokens = Array.from({ length: 40 }, (_, index) => (index * 37 + 11) % 256);
const otherTokens = Array.from({ length: 40 }, (_, index) => (index * 53 + 5) % 256);

describe("loading", () => {
  it("describes the model", async () => {
    const { info } = await load();
    expect(info).toMatchObject({
      vocabularySize: tinyVocabulary().length,
      beginToken: tinyToken("<|endoftext|>"),
      addsBegin: false,
      layers: 2,
      heads: 4,
      headSize: 16,
      kvHeads: 2,
      width: 64,
      trainedContext: 4096,
      cells: 512,
      sequences: 8,
      batchTokens: 128,
      canTrim: true,
    });
    expect(info.endTokens).toContain(tinyToken("<|im_end|>"));
    expect(info.chatTemplate).toContain("add_generation_prompt");
    expect(info.metadata["general.architecture"]).toBe("llama");
    expect(info.metadata["tokenizer.ggml.tokens"]).toBeUndefined();
    expect(info.parameters).toBeGreaterThan(0);
    expect(info.vocabularyHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("bounds metadata strings but for the chat template", async () => {
    const path = join(folder, "long.gguf");
    const long = "x".repeat(100_000);
    await writeTinyModel(path, {
      chatTemplate: long,
      metadata: [{ key: "general.description", type: "string", value: long }],
    });
    const { info } = await load({ path });
    expect(info.chatTemplate).toBe(long);
    expect(info.metadata["general.description"]!.length).toBeLessThan(5000);
    expect(Math.max(...Object.values(info.metadata).map((value) => value.length))).toBeLessThan(5000);
  });

  it("identifies the tokenizer, not the weights", async () => {
    const same = join(folder, "same-vocabulary.gguf");
    const other = join(folder, "other-vocabulary.gguf");
    await writeTinyModel(same, { seed: 4, layers: 1 });
    await writeTinyModel(other, { seed: 3, words: [" another"] });
    const hashes = await Promise.all(
      [tiny, same, other].map(async (path) => (await load({ path })).info.vocabularyHash),
    );
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  it("counts cells per stream where streams are separate", async () => {
    expect((await load({ separateStreams: true, cells: 256, sequences: 4 })).info.cells).toBe(256);
  });

  it.each([
    ["a missing file", "missing.gguf", undefined],
    ["text", "text.gguf", "this is no model"],
    ["nothing", "empty.gguf", ""],
  ])("refuses %s with libllama's reason", async (_, name, content) => {
    const path = join(folder, name);
    if (content !== undefined) writeFileSync(path, content);
    const error = await failure(load({ path }));
    expect(error.code).toBe("model-invalid");
    expect(error.subject).toBe(path);
    expect(error.message).not.toContain("no reason given");
  });

  it("refuses a file that was cut", async () => {
    const path = join(folder, "cut.gguf");
    await writeTinyModel(path);
    truncateSync(path, 50_000);
    expect((await failure(load({ path }))).code).toBe("model-invalid");
  });

  it.each([
    ["sequences", { sequences: 257 }],
    ["cells", { cells: 0 }],
    ["cells", { cells: 1.5 }],
    ["threads", { threads: 0 }],
    ["batchTokens", { batchTokens: Number.NaN }],
  ])("refuses %s out of range", async (subject, options) => {
    const error = await failure(load(options));
    expect(error.code).toBe("invalid-option");
    expect(error.subject).toBe(subject);
  });
});

describe("text", () => {
  it("round-trips any text through tokens and their bytes", async () => {
    const model = await load();
    for (const text of ["The answer is 42.\n\n", "naïve — 日本語 🙂", "a\0b", " ".repeat(3000), ""]) {
      const tokens = model.tokenize(text, { addSpecial: false, parseSpecial: false });
      expect(Buffer.concat(tokens.map((token) => model.piece(token))).toString("utf8")).toBe(text);
    }
  });

  it("reads special tokens only where it is told to, and gives control tokens no text", async () => {
    const model = await load();
    const special = tinyToken("<|im_end|>");
    expect(model.tokenize("<|im_end|>", { addSpecial: false, parseSpecial: true })).toEqual([special]);
    expect(model.tokenize("<|im_end|>", { addSpecial: false, parseSpecial: false })).not.toContain(special);
    expect(model.piece(special)).toHaveLength(0);
  });

  it("refuses tokens that do not exist", async () => {
    const model = await load();
    for (const token of [-1, model.info.vocabularySize, 0.5])
      expect(() => model.piece(token)).toThrow("vocabulary");
  });
});

describe("known laws", () => {
  const options = { context: 512, width: 512, heads: 8, layers: 1 };
  const size = tinyVocabulary(options).length;
  const logit = (current: number, next: number) => ((current * 31 + next * 17) % 23) / 4;

  it("gives the law that the weights were made for", async () => {
    const path = join(folder, "bigram.gguf");
    await writeTinyModel(path, { ...options, weights: bigramWeights(size, options.width, logit) });
    const model = await load({ path });
    await decode(
      model,
      passageTokens
        .slice(0, 5)
        .map((token, position) => ({ token, position, sequences: [0], output: position % 2 === 0 })),
    );
    for (const [output, position] of [0, 2, 4].entries()) {
      const logits = Float64Array.from({ length: size }, (_, next) => logit(passageTokens[position]!, next));
      const normaliser = Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
      const entropy = -logits.reduce(
        (sum, value) => sum + Math.exp(value - normaliser) * (value - normaliser),
        0,
      );
      const row = onlyRow(model, { row: true, topK: 5, draw: greedy, tokens: [3] }, output);
      expect(
        largestDifference(
          row.row!,
          Float32Array.from(logits, (value) => value - normaliser),
        ),
      ).toBeLessThan(5e-3);
      // The norm's epsilon shrinks the states by a few parts in ten thousand.
      expect(row.entropy).toBeCloseTo(entropy, 2);
      expect(logits[row.topK[4]!.token]).toBe([...logits].sort((left, right) => right - left)[4]);
      expect(logits[row.token]).toBe(Math.max(...logits));
      expect(row.tokens[0]).toBeCloseTo(logits[3]! - normaliser, 2);
    }
  });

  it("reports garbage weights as rows that are not finite", async () => {
    const path = join(folder, "nan.gguf");
    await writeTinyModel(path, {
      weights: (name, shape) =>
        name === "blk.1.ffn_down.weight"
          ? new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(Number.NaN)
          : undefined,
    });
    const model = await load({ path });
    await decode(model, passage(passageTokens.slice(0, 4), 0));
    expect(onlyRow(model, { draw: greedy }).finite).toBe(false);
  });
});

describe("outputs", () => {
  it("are counted over the tokens that asked, in batch order, whatever their sequences", async () => {
    for (const separateStreams of [false, true]) {
      const model = await load({ separateStreams });
      const alone: Float32Array[] = [];
      for (const sequence of [5, 1, 3]) {
        alone.push((await rowsAfter(model, passageTokens.slice(sequence, sequence + 3), sequence)).at(-1)!);
        model.removeCells(sequence, 0, -1);
      }
      // The three sequences' tokens alternate in the batch.
      const batch = [0, 1, 2].flatMap((index) =>
        [5, 1, 3].map((sequence) => ({
          token: passageTokens[sequence + index]!,
          position: index,
          sequences: [sequence],
          output: index === 2,
        })),
      );
      await decode(model, batch);
      const rows = model.readRows([0, 1, 2].map((output) => request(output, { row: true })));
      for (const [index, { row }] of rows.entries())
        expect(largestDifference(row!, alone[index]!)).toBeLessThan(1e-2);
    }
  });

  it("refuses what the last decode did not give", async () => {
    const model = await load();
    expect(() => onlyRow(model)).toThrow("output 0 of 0");
    await decode(model, passage(passageTokens, 0));
    expect(() => onlyRow(model, {}, 1)).toThrow("output 1 of 1");
    expect(() => model.readHidden(0)).toThrow("hidden");
  });

  it("a whole decode's rows stay readable, each request on its own", async () => {
    const model = await load();
    await decode(
      model,
      passageTokens.map((token, position) => ({ token, position, sequences: [0], output: true })),
    );
    const rows = model.readRows([
      request(39, { row: true }),
      request(0, { row: true }),
      request(39, { topK: 1 }),
    ]);
    expect(rows[0]!.row).not.toEqual(rows[1]!.row);
    expect(rows[2]!.topK[0]!.logprob).toBeCloseTo(Math.max(...rows[0]!.row!), 5);
    expect(model.readRows([])).toEqual([]);
  });
});

describe("hidden states", () => {
  it("come for every token of a batch that asks, and change no logits", async () => {
    const model = await load();
    const tokens = passageTokens.slice(0, 6);
    await decode(model, passage(tokens, 0));
    const before = onlyRow(model, { row: true }).row!;
    model.removeCells(0, 0, -1);

    const outputs = passage(tokens, 0).map((token) => ({ ...token, output: true }));
    await decode(model, outputs, true);
    const states = tokens.map((_, output) => model.readHidden(output));
    expect(states.every((state) => state.length === model.info.width)).toBe(true);
    expect(states[0]).not.toEqual(states[5]);
    expect(largestDifference(onlyRow(model, { row: true }, 5).row!, before)).toBeLessThan(1e-3);
    model.removeCells(0, 0, -1);

    await decode(model, passage(tokens, 0));
    expect(onlyRow(model, { row: true }).row).toEqual(before);
    expect(() => model.readHidden(0)).toThrow("hidden");
  });

  it("are refused for a batch of which some tokens are only read: libllama would compute their logits too", async () => {
    const model = await load();
    await expect(model.decode(passage(passageTokens, 0), { hidden: true })).rejects.toThrow("every token");
    await decode(model, passage(passageTokens, 0));
  });

  it("are the final-norm states: of a model whose layers add nothing, the normed embedding", async () => {
    const width = 512;
    const path = join(folder, "states.gguf");
    const size = tinyVocabulary().length;
    await writeTinyModel(path, { width, heads: 8, layers: 1, weights: bigramWeights(size, width, () => 0) });
    const model = await load({ path });
    await decode(model, passage([7], 0), true);
    const state = model.readHidden(0);
    // A unit vector, scaled to root-mean-square 1.
    expect(state[7]).toBeCloseTo(Math.sqrt(width), 1);
    expect(state.filter((_, index) => index !== 7).every((value) => Math.abs(value) < 1e-4)).toBe(true);
  });
});

describe("sequences", () => {
  it("one at a time in separate streams: equal bits, whatever the others do, and after a fork and a trim", async () => {
    const model = await load({ separateStreams: true });
    const alone = await rowsAfter(model, passageTokens, 0);
    // The same again with two neighbours; one of them is rolled back and rewritten.
    for (const [position, token] of otherTokens.entries()) {
      await decode(model, passage([token], 1, position));
      if (position % 8 === 7) {
        expect(model.removeCells(1, position - 3, -1)).toBe(true);
        await rowsAfter(model, otherTokens.slice(position - 3, position + 1), 1, position - 3);
      }
      expect(await rowsAfter(model, [passageTokens[position]!], 2, position)).toEqual([alone[position]]);
    }
    model.shareCells(0, 3);
    model.removeCells(3, 20, -1);
    expect(await rowsAfter(model, passageTokens.slice(20), 3, 20)).toEqual(alone.slice(20));
    const forked = await rowsAfter(model, otherTokens.slice(0, 10), 3, 40);
    expect(await rowsAfter(model, otherTokens.slice(0, 10), 0, 40)).toEqual(forked);
  });

  it("a fork in the unified cache shares the prefix and goes its own way", async () => {
    const model = await load();
    await decode(model, passage(passageTokens, 0));
    model.shareCells(0, 1);
    model.shareCells(0, 2);
    model.removeCells(2, 30, -1);
    const ways = [
      [0, 40],
      [1, 40],
      [2, 30],
    ] as const;
    for (const [sequence, position] of ways) {
      await decode(model, passage([200 + sequence], sequence, position));
      const forked = onlyRow(model, { row: true }).row!;
      const fresh = await rowsAfter(model, [...passageTokens.slice(0, position), 200 + sequence], 5);
      model.removeCells(5, 0, -1);
      expect(largestDifference(forked, fresh.at(-1)!)).toBeLessThan(1e-2);
    }
  });

  it("a token may belong to several sequences", async () => {
    const model = await load();
    const batch = passageTokens.slice(0, 5).map((token, position) => ({
      token,
      position,
      sequences: [0, 1, 2],
      output: false,
    }));
    await decode(model, batch);
    await decode(model, [...passage([9], 0, 5), ...passage([9], 2, 5)]);
    const [first, second] = model.readRows([request(0, { row: true }), request(1, { row: true })]);
    expect(largestDifference(first!.row!, second!.row!)).toBeLessThan(1e-2);
  });

  it("a full cache is status 1 and changes nothing", async () => {
    const model = await load({ cells: 256, batchTokens: 256 });
    const long = Array.from({ length: 200 }, (_, index) => index);
    await decode(model, passage(long, 0));
    expect(await model.decode(passage(long, 1))).toBe(1);
    expect(() => onlyRow(model)).toThrow("output 0 of 0");
    await decode(model, passage(long.slice(0, 50), 1));
    expect(onlyRow(model, { draw: greedy }).finite).toBe(true);
  });

  it.each([
    ["no tokens", []],
    ["too many tokens", passage(Array<number>(129).fill(1), 0)],
    ["an unknown token", passage([100_000], 0)],
    ["a negative token", passage([-1], 0)],
    ["an unknown sequence", passage([1], 8)],
    ["no sequence", [{ token: 1, position: 0, sequences: [], output: true }]],
    ["a negative position", passage([1], 0, -1)],
  ])("refuses a batch with %s before libllama sees it", async (_, batch) => {
    const model = await load();
    expect((await failure(model.decode(batch))).code).toBe("internal");
    await decode(model, passage([1], 0));
  });

  it("refuses positions that do not follow: libllama's status, nothing changed", async () => {
    const model = await load();
    await decode(model, passage(passageTokens, 0));
    expect(await model.decode(passage([1], 0, 10))).toBe(-1);
    await decode(model, passage([1], 0, 40));
  });
});

describe("stopping", () => {
  it("abort ends a long read with status 2, leaves the cache as it was, and the next decode is whole", async () => {
    const path = join(folder, "wide.gguf");
    await writeTinyModel(path, {
      width: 256,
      heads: 4,
      layers: 8,
      feedForward: 1024,
      context: 4096,
      type: "F16",
    });
    const model = await load({ path, cells: 4096, sequences: 4, batchTokens: 1024 });
    const long = Array.from({ length: 1024 }, (_, index) => (index * 31) % 256);
    const start = performance.now();
    await decode(model, passage(long, 0));
    const whole = performance.now() - start;
    const row = onlyRow(model, { row: true }).row!;
    await decode(model, passage(passageTokens, 1));

    // The second half of its tokens belongs to two sequences.
    model.removeCells(0, 0, -1);
    const running = model.decode(
      long.map((token, position) => ({
        token,
        position,
        sequences: position < 512 ? [0] : [0, 2],
        output: false,
      })),
    );
    await new Promise((resolve) => setTimeout(resolve, whole / 8));
    const asked = performance.now();
    model.abort();
    expect(await running).toBe(2);
    expect(performance.now() - asked).toBeLessThan(whole / 2);
    expect(() => onlyRow(model)).toThrow("output 0 of 0");

    // Sequence 1 is untouched; 0 and 2 are empty again.
    await decode(model, passage([5], 1, 40));
    await decode(model, passage(passageTokens, 2));
    await decode(model, passage(long, 0));
    expect(largestDifference(onlyRow(model, { row: true }).row!, row)).toBeLessThan(1e-2);
  });

  it("an abort while nothing runs is forgotten", async () => {
    const model = await load();
    model.abort();
    await decode(model, passage(passageTokens, 0));
  });

  it("the event loop turns while a decode runs, and a second one is refused", async () => {
    const model = await load({ batchTokens: 512 });
    const running = model.decode(
      passage(
        Array.from({ length: 500 }, (_, index) => index % 256),
        0,
      ),
    );
    let settled = false;
    void running.then(() => {
      settled = true;
    });
    await new Promise(setImmediate);
    expect(settled).toBe(false);
    expect(() => model.removeCells(0, 0, -1)).toThrow("while a decode ran");
    expect((await failure(model.decode(passage([1], 1)))).code).toBe("internal");
    expect(await running).toBe(0);
  });

  it("closes twice, closes under a running decode, and is of no use afterwards", async () => {
    const model = await load({ batchTokens: 512 });
    const running = model.decode(
      passage(
        Array.from({ length: 500 }, (_, index) => index % 256),
        0,
      ),
    );
    model.close();
    model.close();
    expect([0, 2]).toContain(await running);
    expect(() => model.tokenize("a", { addSpecial: false, parseSpecial: false })).toThrow("closed");
    expect(() => model.piece(0)).toThrow("closed");
    expect(() => onlyRow(model)).toThrow("closed");
    expect(() => model.removeCells(0, 0, -1)).toThrow("closed");
    expect((await failure(model.decode(passage([1], 0)))).message).toContain("closed");
    expect(() => model.abort()).not.toThrow();
  });
});

describe("leaks", () => {
  it("10,000 forks and rollbacks leave memory where it was", async () => {
    const model = await load({ sequences: 64 });
    await decode(model, passage(passageTokens, 0));
    const cycle = async (count: number) => {
      for (let index = 0; index < count; index++) {
        const sequence = 1 + (index % 63);
        model.shareCells(0, sequence);
        model.removeCells(sequence, 20, -1);
        if (index % 100 === 0) {
          await decode(model, passage([7], sequence, 20));
          onlyRow(model, { draw: { ...greedy, temperature: 0.7, topP: 0.9 }, topK: 5, row: true });
        }
        model.removeCells(sequence, 0, -1);
      }
    };
    await cycle(2000);
    const before = process.memoryUsage().rss;
    await cycle(10_000);
    // A leak of one cell's bookkeeping per cycle (64 bytes x 20 cells) would be 12 MB, a row per read 120 KB.
    expect(process.memoryUsage().rss - before).toBeLessThan(8e6);
    await decode(model, passage([7], 0, 40));
  });

  it("loading and closing again and again leaves memory where it was", async () => {
    const cycle = async (count: number) => {
      for (let index = 0; index < count; index++) {
        const model = await loadLlamaNativeModel({ path: tiny, cells: 512, sequences: 4, batchTokens: 64 });
        await decode(model, passage(passageTokens, 0));
        onlyRow(model, { draw: greedy });
        model.close();
      }
    };
    await cycle(5);
    const before = process.memoryUsage().rss;
    await cycle(20);
    // One context that stays holds more than 1 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(15e6);
  });
});

const real = join(homedir(), ".cache/stepwright-models/smollm2-135m-instruct-q4_1.gguf");
const missing = existsSync(real) ? "" : " (skipped: the file is not in the model cache)";

describe.skipIf(missing !== "")(`SmolLM2 135M${missing}`, () => {
  it("writes sense, greedily", async () => {
    const model = await load({ path: real, cells: 512 });
    const tokens = model.tokenize(
      "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n",
      { addSpecial: true, parseSpecial: true },
    );
    const written = await write(model, tokens, 0, 30);
    expect(Buffer.concat(written.map((token) => model.piece(token))).toString()).toContain("Paris");
  });
});
