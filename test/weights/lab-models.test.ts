/** The models that come with the package: the recipe's, whole, and read by libllama as they were trained. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { Engine, openLlama } from "../../src/models/llama/index.js";
import { findTask } from "../../src/tasks/index.js";
import { isGenerated } from "../../src/tasks/task.js";
import { parameterCount } from "../../src/train/initial-weights.js";
import { labFamily } from "../../src/train/lab/family.js";
import { byteTokenizer, type LabTokenizer, wordTokenizer } from "../../src/train/lab/vocabulary.js";
import { type TrainingProgress, trainModel } from "../../src/train/train-model.js";

const folder = fileURLToPath(new URL("../../lab/models/", import.meta.url));
const engine = new Engine();

afterAll(() => engine[Symbol.asyncDispose]());

test("the shipped files are those of the list, by their hashes, and small", async () => {
  const list = (await readFile(join(folder, "SHA256SUMS"), "utf8")).trim().split("\n");
  const listed = new Map(list.map((line) => line.split("  ").reverse() as [string, string]));
  const files = (await readdir(folder)).filter((file) => file !== "SHA256SUMS").sort();
  expect([...listed.keys()].sort()).toEqual(files);
  let size = 0;
  for (const file of files) {
    const bytes = await readFile(join(folder, file));
    expect(createHash("sha256").update(bytes).digest("hex"), file).toBe(listed.get(file));
    size += bytes.length;
  }
  expect(size).toBeLessThan(40e6);
});

describe.each(Object.keys(labFamily))("lab:%s", (name) => {
  const { vocabulary, recipe } = labFamily[name]!();
  const { encode, control } = [wordTokenizer, byteTokenizer].find(
    (tokenizer: LabTokenizer) => tokenizer.vocabulary === vocabulary,
  )!;

  test("has the recipe's sizes, and libllama's ids are those of training", async () => {
    await using model = await openLlama(join(folder, `${name}.gguf`), { engine });
    expect(model.size.parameters).toBe(parameterCount(recipe.sizes));
    expect(model.size.context).toBe(recipe.sizes.context);
    const texts = ["", "x", " Mia  has\n\n\n 1234567 cöins; 日本's \t\\boxed{7}\n\n", "<|end|>"];
    for (const task of ["lab", "lab-recall", "lab-edit", "lab-search"]) {
      for (let index = 700_000; index < 700_020; index++) {
        const { question, steps } = await generate(task, index);
        texts.push(question, steps!.join("\n\n"));
      }
    }
    for (const text of texts) expect(await model.tokenize(text)).toEqual(encode(text));
    const { question } = await generate("lab", 1);
    const { tokens } = await model.renderChat([
      { role: "system", content: "Reason." },
      { role: "user", content: question },
    ]);
    expect(tokens).toEqual([control.question, ...encode(question), control.answer]);
  });
});

test("the draft's recipe begins as the committed log does", async () => {
  const { recipe, examples } = labFamily.draft!();
  const log = fileURLToPath(new URL("../../lab/training/draft.log.jsonl", import.meta.url));
  const first = JSON.parse((await readFile(log, "utf8")).split("\n", 1)[0]!);
  const stopped = new AbortController();
  let begun: TrainingProgress | undefined;
  const onProgress = (progress: TrainingProgress) => {
    begun = progress;
    stopped.abort();
  };
  const training = trainModel(recipe, examples, { onProgress, signal: stopped.signal });
  await expect(training).rejects.toMatchObject({ code: "aborted" });
  expect(begun).toMatchObject({ step: first.step, tokens: first.tokens });
  // Other processors' kernels round otherwise.
  expect(begun!.loss).toBeCloseTo(first.loss, 3);
});

async function generate(name: string, index: number) {
  const task = await findTask(name);
  if (!isGenerated(task)) throw new Error(`${name} is not generated`);
  return task.generate(index);
}
