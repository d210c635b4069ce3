/** The white box beside libllama on real weights: the same logits, the same greedy texts. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadGraphNativeModel } from "../../src/models/graph/graph-native-model.js";
import { loadLlamaNativeModel } from "../../src/native/llama-native-model.js";
import type { BatchToken, NativeModel } from "../../src/native/native-model.js";
import { weightsFolder } from "./models.js";

const files = [
  "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
  "smollm2-135m-instruct-q4_1.gguf",
  "gemma-3-270m-q4_k_m.gguf",
];
const positions = 200;
const writtenTokens = 16;
const text =
  "A farmer has 17 fields with 23 rows of corn each, and every row has 41 plants. Some rows are lost to the wind. ".repeat(
    10,
  );
const prompts = [
  "The capital of France is",
  "def fibonacci(n):\n",
  "Once upon a time there was a",
  "2 + 2 = 4, 3 + 3 =",
  "Water boils at a temperature of",
  "The opposite of hot is",
  "To sort a list in Python, one can",
  "Mia has 37 coins and finds 25 more. Now she has",
  "The three primary colours are",
  "Dear Sir or Madam,\n",
];

function passage(tokens: readonly number[], from: number): BatchToken[] {
  return tokens.map((token, index) => ({ token, position: from + index, sequences: [0], output: true }));
}

/** Log-probabilities after each token. */
async function read(model: NativeModel, batch: readonly BatchToken[]): Promise<Float32Array[]> {
  expect(await model.decode(batch)).toBe(0);
  const rows = model.readRows(
    batch.map((_, output) => ({ output, draw: null, topK: 0, tokens: [], row: true })),
  );
  return rows.map(({ row }) => row!);
}

async function write(model: NativeModel, tokens: readonly number[]): Promise<number[]> {
  const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, bits: 0 };
  const written: number[] = [];
  let next = tokens;
  for (let from = 0; written.length < writtenTokens; from += next.length, next = written.slice(-1)) {
    expect(await model.decode(passage(next, from))).toBe(0);
    const [row] = model.readRows([
      { output: next.length - 1, draw: greedy, topK: 0, tokens: [], row: false },
    ]);
    written.push(row!.token);
  }
  model.removeCells(0, 0, -1);
  return written;
}

describe.each(files)("the white box of %s", (file) => {
  const path = join(weightsFolder, file);
  const missing = weightsFolder === "" || !existsSync(path);
  if (missing) console.warn(`SKIPPED: white box on ${file}; STEPWRIGHT_TEST_MODELS names no folder with it`);
  const models: NativeModel[] = [];
  afterAll(() => {
    for (const model of models) model.close();
  });

  it.skipIf(missing)("has libllama's logits and greedy texts", { timeout: 600_000 }, async () => {
    const options = { path, cells: 512, sequences: 1 };
    models.push(await loadGraphNativeModel(options), await loadLlamaNativeModel(options));
    const [white, black] = models as [NativeModel, NativeModel];
    expect(white.info.vocabularyHash).toBe(black.info.vocabularyHash);
    const tokens = white.tokenize(text, { addSpecial: true, parseSpecial: false }).slice(0, positions);
    expect(tokens).toHaveLength(positions);
    // Read in one go, and in pieces of other kernels: eight tokens, one, then the rest.
    for (const pieces of [[positions], [...Array(12).fill(8), ...Array(24).fill(1), positions - 120]]) {
      let greatest = 0;
      let from = 0;
      for (const length of pieces) {
        const batch = passage(tokens.slice(from, from + length), from);
        const [ours, theirs] = [await read(white, batch), await read(black, batch)];
        for (const [index, row] of ours.entries()) {
          for (let id = 0; id < row.length; id++)
            greatest = Math.max(greatest, Math.abs(row[id]! - theirs[index]![id]!));
        }
        from += length;
      }
      for (const model of models) model.removeCells(0, 0, -1);
      console.log(
        `${file}: greatest difference over ${positions} positions in ${pieces.length} pieces: ${greatest}`,
      );
      expect(greatest).toBeLessThan(1e-2);
    }
    for (const prompt of prompts) {
      const start = white.tokenize(prompt, { addSpecial: true, parseSpecial: false });
      expect(await write(white, start), prompt).toEqual(await write(black, start));
    }
  });
});
