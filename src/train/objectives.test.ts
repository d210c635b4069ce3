import { afterEach, describe, expect, it } from "vitest";
import { loadNative } from "../native/load.js";
import { relativeSlope } from "../testing/gradient-check.js";
import { binaryHead, binaryHeadMethod, headBiasName, headWeightName } from "./binary-heads.js";
import {
  type DistillationLoss,
  distillation,
  distillationObjective,
  type TaughtBatch,
} from "./distillation.js";
import { fillNormal, initialWeights, weightShapes } from "./initial-weights.js";
import { type Adapter, initialAdapter, mergeAdapter } from "./low-rank-adapter.js";
import type { ModelRecipe, ModelSizes, TrainingSet } from "./model-recipe.js";
import type { Objective } from "./objective.js";
import { PackedModel } from "./packed-model.js";
import { type PackedBatch, packBatch } from "./packing.js";
import { type TrainingProgress, trainModel } from "./train-model.js";
import { TrainingGraph, type TrainingSetup } from "./training-graph.js";
import { adapted, nextToken } from "./training-method.js";

const sizes: ModelSizes = {
  layers: 2,
  width: 16,
  heads: 2,
  kvHeads: 1,
  feedForward: 32,
  context: 64,
  vocabulary: 24,
};
const recipe: ModelRecipe = {
  sizes,
  plan: { tokens: 3000, rows: 4, rowLength: 16, learningRate: 1e-2, warmUp: 4, seed: 3 },
};
const room = { rows: 2, losses: 32 };
const examples: TrainingSet = (index) => ({
  tokens: Array.from({ length: 5 + (index % 4) }, (_, position) => (5 * index + 3 * position) % 24),
  lossFrom: 2,
});
/** After each token: is it even? Only every second one is labelled. */
const labelled: TrainingSet = (index) => {
  const { tokens } = examples(index);
  return { tokens, lossFrom: 0, labels: tokens.map((token, at) => (at % 2 === 0 ? 1 - (token % 2) : null)) };
};

const opened: { free(): void }[] = [];
afterEach(() => {
  for (const graph of opened.splice(0)) graph.free();
});

/** Weights far from the usual start, so that every part matters. */
function roughWeights(seed: number): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of weightShapes(sizes)) {
    const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
    fillNormal(values, 0.4, seed, name);
    if (shape.length === 1) for (let index = 0; index < values.length; index++) values[index]! += 1;
    weights.set(name, values);
  }
  return weights;
}

function openGraph<Batch extends PackedBatch>(
  objective: Objective<Batch>,
  more: Partial<TrainingSetup<Batch>> = {},
): TrainingGraph<Batch> {
  const graph = new TrainingGraph(loadNative(), { sizes, room, rowLength: 16, objective, ...more });
  opened.push(graph);
  graph.setWeights(roughWeights(7));
  return graph;
}

async function taught(batch: PackedBatch): Promise<TaughtBatch> {
  const method = distillation(recipe, "kl", roughWeights(7), { sizes, weights: roughWeights(8) });
  const preparation = method.open(room);
  const result = await preparation.prepare(batch);
  preparation.free();
  return result;
}

/** Losses reported while training, first and last. */
async function course(work: (onProgress: (progress: TrainingProgress) => void) => Promise<unknown>) {
  const losses: number[] = [];
  await work(({ loss }) => losses.push(loss));
  return { first: losses[0]!, last: losses.at(-1)! };
}

describe("distillation", () => {
  for (const kind of ["kl", "tv"] as DistillationLoss[]) {
    it(`has the right loss and gradient (${kind})`, async () => {
      const graph = openGraph(distillationObjective(kind, sizes.vocabulary));
      const batch = await taught(packBatch(recipe, examples, 0, room));
      const { loss } = await graph.addGradients([batch]);

      const student = new PackedModel(loadNative(), sizes, roughWeights(7), room, 16);
      opened.push(student);
      const logits = await student.logits(batch);
      let expected = 0;
      for (let row = 0; row < batch.targets.length; row++) {
        const from = row * sizes.vocabulary;
        const exponentials = Array.from(logits.subarray(from, from + sizes.vocabulary), Math.exp);
        const total = exponentials.reduce((sum, value) => sum + value, 0);
        exponentials.forEach((value, token) => {
          const p = batch.laws[from + token]!;
          const q = value / total;
          expected += kind === "kl" ? p * Math.log(p / q) : Math.abs(p - q) / 2;
        });
      }
      expect(loss).toBeCloseTo(expected / batch.targets.length, 4);
      for (const name of weightShapes(sizes).keys()) {
        expect(await relativeSlope(graph, batch, name), name).toBeCloseTo(1, 1.5);
      }
    });

    it(`brings a student closer to its teacher (${kind})`, async () => {
      const teacher = { sizes, weights: roughWeights(8) };
      const method = distillation(recipe, kind, initialWeights(sizes, 1), teacher);
      const { first, last } = await course((onProgress) =>
        trainModel(recipe, examples, { logSteps: 1, onProgress }, method),
      );
      expect(last).toBeLessThan(first / 2);
    });
  }

  it("has nothing to learn from itself", async () => {
    const graph = openGraph(distillationObjective("kl", sizes.vocabulary));
    graph.setWeights(roughWeights(8));
    const { loss, accuracy } = await graph.addGradients([await taught(packBatch(recipe, examples, 0, room))]);
    expect(Math.abs(loss)).toBeLessThan(1e-5);
    expect(accuracy).toBe(1);
    expect(Math.hypot(...graph.gradient("blk.0.attn_q.weight"))).toBeLessThan(1e-5);
  });
});

describe("binary heads", () => {
  const batch = packBatch(recipe, labelled, 0, room);

  for (const frozen of [true, false]) {
    it(`have the right gradient ${frozen ? "on a fixed model" : "through the model"}`, async () => {
      const graph = openGraph(binaryHead(sizes.width), { frozen });
      const head = new Float32Array(sizes.width);
      fillNormal(head, 0.5, 1, headWeightName);
      graph.setWeights(
        new Map([
          [headWeightName, head],
          [headBiasName, Float32Array.of(0.3)],
        ]),
      );
      const names = [headWeightName, headBiasName, ...(frozen ? [] : weightShapes(sizes).keys())];
      for (const name of names) {
        // The output matrix has no part in the score.
        if (name === "output.weight") continue;
        expect(await relativeSlope(graph, batch, name), name).toBeCloseTo(1, 1.5);
      }
      if (frozen) expect([...graph.copyWeights().keys()]).toEqual([headWeightName, headBiasName]);
    });
  }

  it("learn a property of the tokens read, from a fixed model", async () => {
    const weights = roughWeights(8);
    const method = binaryHeadMethod(sizes, weights, { frozen: true, identity: "parity" });
    const plan = { ...recipe.plan, learningRate: 5e-2, tokens: 6000 };
    const { first, last } = await course((onProgress) =>
      trainModel({ ...recipe, plan }, labelled, { logSteps: 1, onProgress }, method),
    );
    expect(first).toBeCloseTo(Math.LN2, 5);
    expect(last).toBeLessThan(0.5);
  });
});

describe("low-rank adapters", () => {
  const adapter: Adapter = { rank: 2, alpha: 4, parts: ["attn_q", "attn_v", "ffn_down"] };

  it("have the right gradient, and leave the model's own weights alone", async () => {
    const method = nextToken(recipe);
    const graph = openGraph(method.objective, { adapter });
    const trained = new Map(initialAdapter(sizes, adapter, 1));
    // B starts at zero, where A has no gradient.
    for (const [name, values] of trained) fillNormal(values, 0.3, 2, name);
    graph.setWeights(trained);
    const batch = packBatch(recipe, examples, 0, room);
    expect([...graph.copyWeights().keys()].sort()).toEqual([...trained.keys()].sort());
    for (const name of trained.keys()) {
      expect(await relativeSlope(graph, batch, name), name).toBeCloseTo(1, 1.5);
    }
  });

  it("lower the loss, and merge into weights that compute the same", async () => {
    const base = roughWeights(8);
    const method = adapted({ ...nextToken(recipe), initial: base }, recipe, adapter);
    const losses: number[] = [];
    const { weights } = await trainModel(
      recipe,
      examples,
      { logSteps: 1, onProgress: ({ loss }) => losses.push(loss) },
      method,
    );
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 1);

    const batch = packBatch(recipe, examples, 0, room);
    const graph = openGraph(method.objective, { adapter });
    graph.setWeights(new Map([...base, ...weights]));
    const merged = openGraph(method.objective);
    merged.setWeights(mergeAdapter(sizes, base, adapter, weights));
    const beside = (await graph.addGradients([batch])).loss;
    expect((await merged.addGradients([batch])).loss).toBeCloseTo(beside, 4);
  });
});
