/** What a stop head reads of a drafted token, and the head: one linear layer and a sigmoid. Card specdec-plus-plus. */
import { StepwrightError } from "../../core/errors.js";
import type { Drafted } from "../../core/speculation.js";
import type { TensorSet } from "../../core/tensor.js";

export const stopHeadTensors = ["stop.weight", "stop.bias"] as const;
/** What the file of a head says of itself: its kind, and whose drafts for whom it was trained on. */
export const stopHeadKind = "stepwright.stop-head.1";

/** Numbers beside the hidden state: how probable the draft was, how unsure the drafter, how far from the last checked token. */
export const ownFeatures = 3;

/** The state is the one that the draft was drawn from: its own is not computed before the next draft. */
export function stopFeatures({ hidden, probability, entropy, depth }: Drafted): Float32Array {
  const features = new Float32Array((hidden?.length ?? 0) + ownFeatures);
  features.set(hidden ?? []);
  features.set(
    [Math.log(Math.max(probability, 1e-9)), entropy, Math.log(depth)],
    features.length - ownFeatures,
  );
  return features;
}

export interface StopHead {
  /** Probability that the draft is accepted if those before it are. */
  accepts(drafted: Drafted): number;
}

/** Throws `model-invalid` where the tensors are no stop head. */
export function createStopHead(tensors: TensorSet, source: string): StopHead {
  const weight = tensors.get("stop.weight")?.values;
  const bias = tensors.get("stop.bias")?.values;
  if (!weight || bias?.length !== 1 || weight.length < ownFeatures)
    throw noHead(source, "holds no stop head");
  if (![...weight, ...bias].every(Number.isFinite)) throw noHead(source, "has numbers that are not finite");
  return {
    accepts(drafted) {
      const features = stopFeatures(drafted);
      if (features.length !== weight.length) {
        const states = `${weight.length - ownFeatures} numbers, not ${features.length - ownFeatures}`;
        throw noHead(source, `was trained on hidden states of ${states}`);
      }
      let sum = bias[0]!;
      for (let index = 0; index < features.length; index++) sum += weight[index]! * features[index]!;
      return 1 / (1 + Math.exp(-sum));
    },
  };
}

function noHead(source: string, problem: string): StepwrightError {
  return new StepwrightError("model-invalid", `${source} ${problem}`, {
    subject: source,
    remedy: "train one for this pair: stepwright train stop-head",
  });
}
