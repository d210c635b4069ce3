import type { Model } from "../../src/core/model.js";
import type { Step } from "../../src/core/step.js";
import type { Tensor, TensorSet } from "../../src/core/tensor.js";
import type { RewardContext } from "../../src/rewards/index.js";

export function step(text: string): Step {
  return {
    text,
    tokens: [],
    vocabulary: "none",
    origin: "draft",
    stop: "delimiter",
    logprobs: [],
    entropies: [],
  };
}

export function tensor(shape: number[], values: ArrayLike<number>): Tensor {
  return { shape, values: Float32Array.from(values) };
}

export function contextOf(
  model: Model,
  heads: TensorSet = new Map(),
  facts: ReadonlyMap<string, string> = new Map(),
): RewardContext {
  return { openModel: async () => model, loadHead: async () => heads, loadHeadFacts: async () => facts };
}
