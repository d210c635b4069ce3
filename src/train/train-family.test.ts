import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bytesSource } from "../models/gguf/source.js";
import { readSafetensorsHeader } from "../models/safetensors.js";
import { tinyControlTokens, tinyVocabulary } from "../testing/tiny-model.js";
import { writeHubFolder } from "./hub-folder.js";
import { initialWeights, weightShapes } from "./initial-weights.js";
import type { ModelFamily, TrainingSubject } from "./model-recipe.js";
import { type FamilyMember, type FamilyOptions, trainFamily } from "./train-family.js";

const tokens = tinyVocabulary();
const sizes = {
  layers: 1,
  width: 16,
  heads: 2,
  kvHeads: 2,
  feedForward: 16,
  context: 32,
  vocabulary: tokens.length,
};

function subject(seed: number): TrainingSubject {
  return {
    name: `tiny-${seed}`,
    recipe: { sizes, plan: { tokens: 200, rows: 2, rowLength: 16, learningRate: 1e-2, seed } },
    vocabulary: {
      tokens,
      control: tinyControlTokens.map((token) => tokens.indexOf(token)),
      beginOfText: tokens.indexOf("<|endoftext|>"),
      endOfText: tokens.indexOf("<|im_end|>"),
    },
    examples: (index) => ({ tokens: [1, 2, 3, 4, 5].map((token) => token + index), lossFrom: 1 }),
  };
}
const family: ModelFamily = { draft: () => subject(1), target: () => subject(2) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepwright-family-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function train(options: Partial<FamilyOptions> = {}): Promise<FamilyMember[]> {
  const members: FamilyMember[] = [];
  for await (const member of trainFamily(family, { folder, ...options })) members.push(member);
  return members;
}

it("trains the models in order and takes up what is there", async () => {
  const [draft, target] = await train();
  expect([draft!.model, target!.model]).toEqual(["draft", "target"]);
  expect(draft!.sha256).not.toBe(target!.sha256);
  expect(createHash("sha256").update(readFileSync(draft!.path)).digest("hex")).toBe(draft!.sha256);
  const [again] = await train({ models: ["target"] });
  expect(again).toMatchObject({ sha256: target!.sha256, resumedAt: target!.steps });
});

it("names the models there are when asked for another", async () => {
  await expect(train({ models: ["middle"] })).rejects.toMatchObject({
    code: "unknown-name",
    remedy: "the family has draft, target",
  });
});

it("writes a folder in transformers' layout", async () => {
  await train({ models: ["draft"], hubFolders: true });
  const read = (name: string) => JSON.parse(readFileSync(join(folder, "draft", name), "utf8"));
  expect(read("config.json")).toMatchObject({ hidden_size: 16, head_dim: 8, vocab_size: tokens.length });
  const { model, added_tokens } = read("tokenizer.json");
  expect(Object.keys(model.vocab).length + added_tokens.length).toBe(tokens.length);
  expect(added_tokens.map(({ content }: { content: string }) => content)).toEqual([...tinyControlTokens]);
});

it("moves rotated pairs from neighbours to halves of a head", async () => {
  const weights = new Map(initialWeights(sizes, 1));
  const query = weights.get("blk.0.attn_q.weight")!;
  for (let index = 0; index < query.length; index++) query[index] = Math.floor(index / 16);
  await writeHubFolder(folder, subject(1), weights);
  const file = readFileSync(join(folder, "model.safetensors"));
  const entries = await readSafetensorsHeader(bytesSource(file));
  expect(entries.size).toBe(weightShapes(sizes).size);
  const { shape, offset, bytes } = entries.get("model.layers.0.self_attn.q_proj.weight")!;
  expect(shape).toEqual([16, 16]);
  const data = file.subarray(offset, offset + bytes);
  const firstColumn = Array.from({ length: 16 }, (_, row) => data.readFloatLE(64 * row));
  expect(firstColumn).toEqual([0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15]);
});
