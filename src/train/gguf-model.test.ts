import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writeGguf } from "../models/gguf/write.js";
import { loadLlamaNativeModel } from "../native/llama-native-model.js";
import { loadNative } from "../native/load.js";
import { tinyControlTokens, tinyVocabulary } from "../testing/tiny-model.js";
import { ggufModel } from "./gguf-model.js";
import type { TrainingSubject } from "./model-recipe.js";
import { PackedModel } from "./packed-model.js";
import { packBatch } from "./packing.js";
import { trainModel } from "./train-model.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-gguf-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tokens = tinyVocabulary();
const subject: TrainingSubject = {
  name: "trained",
  recipe: {
    sizes: {
      layers: 2,
      width: 32,
      heads: 4,
      kvHeads: 2,
      feedForward: 48,
      context: 128,
      vocabulary: tokens.length,
      ropeBase: 5000,
      normEpsilon: 1e-6,
    },
    plan: { tokens: 4000, rows: 4, rowLength: 32, learningRate: 1e-2, warmUp: 5, seed: 2 },
    loss: "all",
  },
  vocabulary: {
    tokens,
    control: tinyControlTokens.map((token) => tokens.indexOf(token)),
    beginOfText: tokens.indexOf("<|endoftext|>"),
    endOfText: tokens.indexOf("<|im_end|>"),
  },
  examples: (index) => ({
    tokens: Array.from({ length: 16 }, (_, position) => (40 + 3 * index + 7 * position) % tokens.length),
    lossFrom: 1,
  }),
};

for (const changed of [{}, { tied: true }]) {
  it(`writes a trained model that stock libllama runs to the same logits ${JSON.stringify(changed)}`, async () => {
    const sizes = { ...subject.recipe.sizes, ...changed };
    const recipe = { ...subject.recipe, sizes };
    const { weights } = await trainModel(recipe, subject.examples);
    const path = join(folder, "trained.gguf");
    await writeGguf(path, ggufModel({ ...subject, recipe }, weights));

    const room = { rows: 1, losses: 16 };
    const batch = packBatch(recipe, subject.examples, 3, room);
    const packed = new PackedModel(loadNative(), sizes, weights, room, 32);
    const own = (await packed.logits(batch)).slice();
    packed.free();

    const model = await loadLlamaNativeModel({ path, cells: 64, sequences: 1, batchTokens: 64 });
    const passage = subject.examples(3).tokens.slice(0, -1);
    const all = passage.map((token, position) => ({ token, position, sequences: [0], output: true }));
    expect(await model.decode(all)).toBe(0);
    const rows = model.readRows(
      all.map((_, output) => ({ output, draw: null, topK: 0, tokens: [], row: true })),
    );
    let greatest = 0;
    rows.forEach(({ row }, output) => {
      const logits = own.subarray(output * sizes.vocabulary, (output + 1) * sizes.vocabulary);
      const normaliser = Math.log(logits.reduce((total, value) => total + Math.exp(value), 0));
      row!.forEach((logprob, token) => {
        greatest = Math.max(greatest, Math.abs(logits[token]! - normaliser - logprob));
      });
    });
    // libllama keeps keys and values in 16 bits.
    expect(greatest).toBeLessThan(5e-3);
    expect(model.tokenize("The step is so", { addSpecial: true, parseSpecial: true })).toEqual(
      ["The", "Ġstep", "Ġis", "Ġso"].map((token) => tokens.indexOf(token)),
    );
    model.close();
  });
}

it("refuses a vocabulary that libllama would refuse", () => {
  const weights = new Map();
  const vocabulary = { ...subject.vocabulary, tokens: tokens.slice(1) };
  expect(() => ggufModel({ ...subject, vocabulary }, weights)).toThrow(`has ${tokens.length - 1} tokens`);
  const twice = { ...subject.vocabulary, tokens: tokens.with(1, tokens[0]!) };
  expect(() => ggufModel({ ...subject, vocabulary: twice }, weights)).toThrow("twice");
  const stray = { ...subject.vocabulary, endOfText: tokens.length };
  expect(() => ggufModel({ ...subject, vocabulary: stray }, weights)).toThrow("which it does not have");
});
