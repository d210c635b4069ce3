import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { previousPath } from "./checkpoint.js";
import type { ModelRecipe, TrainingSet } from "./model-recipe.js";
import { type TrainingOptions, type TrainingProgress, trainModel } from "./train-model.js";

const recipe: ModelRecipe = {
  sizes: { layers: 1, width: 16, heads: 2, kvHeads: 1, feedForward: 32, context: 64, vocabulary: 24 },
  plan: { tokens: 1500, rows: 4, accumulate: 2, rowLength: 24, learningRate: 2e-2, warmUp: 4, seed: 5 },
};
/** Counts on from a start: the next token is the last one plus one. */
const counting: TrainingSet = (index) => {
  const start = (5 * index) % 16;
  return { tokens: Array.from({ length: 4 + (index % 5) }, (_, position) => start + position), lossFrom: 2 };
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepwright-train-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Reports every step, throws out of the one that `stopAfter` names, as a crash would. */
function options(stopAfter = Number.POSITIVE_INFINITY, more: TrainingOptions = {}) {
  const seen: TrainingProgress[] = [];
  const used: TrainingOptions = {
    checkpoint: join(folder, "model.checkpoint"),
    log: join(folder, "log.jsonl"),
    checkpointSeconds: 0,
    logSteps: 1,
    onProgress(progress) {
      seen.push(progress);
      if (progress.step === stopAfter) throw new Error("power cut");
    },
    ...more,
  };
  return { seen, used };
}

const logLines = () =>
  readFileSync(join(folder, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const { seconds, ...rest } = JSON.parse(line);
      expect(seconds).toBeGreaterThan(0);
      return rest;
    });

describe("training", () => {
  it("learns to count", async () => {
    const { seen, used } = options();
    await trainModel({ ...recipe, plan: { ...recipe.plan, tokens: 4000 } }, counting, used);
    expect(seen[0]!.loss).toBeGreaterThan(2.5);
    expect(seen.at(-1)!.loss).toBeLessThan(0.5);
    expect(seen.at(-1)!.accuracy).toBeGreaterThan(0.9);
  });

  it("gives the same weights and log when it was cut, even while a checkpoint was written", async () => {
    const whole = await trainModel(recipe, counting, options().used);
    expect(whole.resumedAt).toBeNull();
    const log = logLines();
    expect(log.length).toBe(whole.steps);
    rmSync(folder, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), "stepwright-train-"));

    await expect(trainModel(recipe, counting, options(5).used)).rejects.toThrow("power cut");
    // The newest checkpoint is torn: the one before it is step 3's.
    truncateSync(join(folder, "model.checkpoint"), 2000);
    writeFileSync(join(folder, "log.jsonl"), `${readFileSync(join(folder, "log.jsonl"))}{"step":6,"tok`);
    const resumed = await trainModel(recipe, counting, options().used);
    expect(resumed.resumedAt).toBe(3);
    expect(resumed.hash).toBe(whole.hash);
    expect(logLines()).toEqual(log);

    const again = await trainModel(recipe, counting, options().used);
    expect(again).toMatchObject({ hash: whole.hash, steps: whole.steps, resumedAt: whole.steps });
  });

  it("saves where it is aborted, and goes on there", async () => {
    const whole = await trainModel(recipe, counting);
    const stop = new AbortController();
    const aborted = trainModel(
      recipe,
      counting,
      options(0, {
        checkpointSeconds: 1e9,
        signal: stop.signal,
        onProgress: ({ step }) => step === 4 && stop.abort(),
      }).used,
    );
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    const resumed = await trainModel(recipe, counting, options().used);
    expect(resumed).toMatchObject({ resumedAt: 4, hash: whole.hash });
  });

  it("depends on the seed", async () => {
    const [one, same, other] = [
      await trainModel(recipe, counting),
      await trainModel(recipe, counting),
      await trainModel({ ...recipe, plan: { ...recipe.plan, seed: 6 } }, counting),
    ];
    expect(same.hash).toBe(one.hash);
    expect(other.hash).not.toBe(one.hash);
  });

  it("refuses checkpoints of another recipe, and ones that are all damaged", async () => {
    await expect(trainModel(recipe, counting, options(4).used)).rejects.toThrow("power cut");
    const other = { ...recipe, plan: { ...recipe.plan, learningRate: 1e-3 } };
    await expect(trainModel(other, counting, options().used)).rejects.toMatchObject({
      code: "checkpoint-invalid",
      message: expect.stringContaining("another recipe"),
    });
    const path = join(folder, "model.checkpoint");
    writeFileSync(path, "no checkpoint");
    const bytes = readFileSync(previousPath(path));
    bytes[bytes.length - 100]! ^= 1;
    writeFileSync(previousPath(path), bytes);
    await expect(trainModel(recipe, counting, options().used)).rejects.toMatchObject({
      code: "checkpoint-invalid",
      message: expect.stringContaining("damaged"),
    });
  });

  it("refuses recipes and examples that native code would abort on", async () => {
    const sizes = (changed: object) => ({ ...recipe, sizes: { ...recipe.sizes, ...changed } });
    for (const wrong of [{ width: 15 }, { heads: 3 }, { kvHeads: 3 }, { layers: 0 }, { vocabulary: 1.5 }]) {
      await expect(trainModel(sizes(wrong), counting)).rejects.toMatchObject({ code: "invalid-option" });
    }
    await expect(trainModel(recipe, () => ({ tokens: [1, 24], lossFrom: 1 }))).rejects.toMatchObject({
      code: "task-invalid",
      message: "training example 0 holds token 24, the vocabulary has 24",
    });
    const long = () => ({ tokens: new Array(26).fill(1), lossFrom: 1 });
    await expect(trainModel(recipe, long)).rejects.toMatchObject({ code: "task-invalid" });
  });

  it("stops when the loss diverges", async () => {
    const wild = { ...recipe, plan: { ...recipe.plan, learningRate: 1e30 } };
    await expect(trainModel(wild, counting)).rejects.toMatchObject({ code: "model-not-finite" });
  });
});
