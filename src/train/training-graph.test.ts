import { afterEach, describe, expect, it } from "vitest";
import { loadNative } from "../native/load.js";
import { relativeSlope } from "../testing/gradient-check.js";
import { crossEntropy } from "./cross-entropy.js";
import { fillNormal, weightShapes } from "./initial-weights.js";
import type { ModelRecipe, ModelSizes, TrainingSet } from "./model-recipe.js";
import { type PackedBatch, packBatch } from "./packing.js";
import { TrainingGraph } from "./training-graph.js";

const sizes: ModelSizes = {
  layers: 2,
  width: 16,
  heads: 4,
  kvHeads: 2,
  feedForward: 32,
  context: 64,
  vocabulary: 32,
};
const recipe: ModelRecipe = {
  sizes,
  plan: { tokens: 1000, rows: 2, rowLength: 16, learningRate: 1e-2, seed: 1 },
};
const room = { rows: 2, losses: 32 };
/** Different lengths, so that rows hold several examples and padding. */
const examples: TrainingSet = (index) => {
  const length = 4 + (index % 5);
  return {
    tokens: Array.from({ length }, (_, position) => (7 * index + 3 * position * position) % 32),
    lossFrom: 1 + (index % 3),
  };
};

const graphs: TrainingGraph<PackedBatch>[] = [];
afterEach(() => {
  for (const graph of graphs.splice(0)) graph.free();
});

function openGraph(overrides: Partial<ModelSizes> = {}): TrainingGraph<PackedBatch> {
  const used = { ...sizes, ...overrides };
  const graph = new TrainingGraph(loadNative(), {
    sizes: used,
    room,
    rowLength: 16,
    objective: crossEntropy(used.vocabulary),
  });
  graphs.push(graph);
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of weightShapes(used)) {
    const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
    // Far from the usual start, so that attention, gates and norms all matter.
    fillNormal(values, 0.5, 7, name);
    if (shape.length === 1) for (let index = 0; index < values.length; index++) values[index]! += 1;
    weights.set(name, values);
  }
  graph.setWeights(weights);
  return graph;
}

describe("gradients", () => {
  for (const overrides of [{}, { kvHeads: 4 }, { kvHeads: 1, tied: true }]) {
    it(`match finite differences in every weight ${JSON.stringify(overrides)}`, async () => {
      const graph = openGraph(overrides);
      const batch = packBatch(recipe, examples, 0, room);
      for (const name of weightShapes({ ...sizes, ...overrides }).keys()) {
        expect(await relativeSlope(graph, batch, name), name).toBeCloseTo(1, 1.5);
      }
    });
  }
});
