/** Heads for tests: files as training writes them, without training. */
import type { Model } from "../../src/core/model.js";
import type { Tensor } from "../../src/core/tensor.js";
import { encodeSafetensors } from "../../src/models/safetensors-writer.js";
import { type HeadFacts, headFactsOf, meansTensor } from "../../src/rewards/head-file.js";
import type { RewardContext } from "../../src/rewards/index.js";
import type { FeatureName, ReaderRole } from "../../src/rewards/readings/index.js";
import { tensor } from "./help.js";

/** A file of a head with one input, made for these models. */
export function oneInputHead(facts: Omit<HeadFacts, "record">): Uint8Array {
  const weight = new Map([["score.weight", tensor([1, 1], [1])]]);
  return encodeSafetensors(weight, headFactsOf({ ...facts, record: {} }));
}

export interface TestHead {
  readonly features: readonly FeatureName[];
  /** One for each input. */
  readonly weights: readonly number[];
  readonly bias?: number;
  readonly threshold?: HeadFacts["threshold"];
  readonly tensors?: ReadonlyMap<string, Tensor>;
  /** Over what is written: damage. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** A context in which `head:F` is this head, made for the models given. */
export function headContext(
  { features, weights, bias = 0, threshold, tensors = new Map(), facts = {} }: TestHead,
  models: Partial<Record<ReaderRole, Model>>,
  asked: string[] = [],
): RewardContext {
  const told = headFactsOf({
    features: [...features],
    draft: models.draft!.fingerprint,
    ...(models.target && { target: models.target.fingerprint }),
    splitter: "blank-line",
    ...(threshold && { threshold }),
    record: {},
  });
  const all = new Map([
    ["score.weight", tensor([1, weights.length], weights)],
    ["score.bias", tensor([1], [bias])],
    [meansTensor, tensor([weights.length], Array(weights.length).fill(0))],
    ...tensors,
  ]);
  return {
    openModel: async (reference) => {
      asked.push(reference);
      return models[reference as ReaderRole]!;
    },
    loadHead: async (_, names) => new Map([...all].filter(([name]) => names.includes(name))),
    loadHeadFacts: async () => new Map(Object.entries({ ...told, ...facts })),
  };
}
