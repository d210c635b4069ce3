/**
 * Small heads that read a probability off a hidden state: sigmoid(w h + b), trained by binary cross-entropy on labels
 * in [0, 1]. They train alone on a fixed model, or together with it.
 */
import type { Weights } from "./initial-weights.js";
import type { ModelSizes } from "./model-recipe.js";
import type { Objective } from "./objective.js";
import type { PackedBatch } from "./packing.js";
import { asPacked, type TrainingMethod } from "./training-method.js";

export const headWeightName = "head.weight";
export const headBiasName = "head.bias";

/** The loss of one head on the places that have a label. */
export function binaryHead(width: number): Objective<PackedBatch> {
  return {
    build(context, { hidden }, declare, losses) {
      const weight = declare.parameter(headWeightName, width, 1);
      const bias = declare.parameter(headBiasName, 1);
      const labels = declare.input("F32", 1, losses);
      // 1 at outputs with a label: the others' hidden state is zero, but the bias would learn from them.
      const used = declare.input("F32", 1, losses);
      const score = context.output(context.add(context.matmul(weight, hidden), bias)); // [1, losses]
      // -y log sigmoid(z) - (1 - y) log(1 - sigmoid(z)) = log(1 + exp(z)) - y z
      const each = context.subtract(context.softplus(score), context.multiply(score, labels));
      const loss = context.sum(context.multiply(each, used));
      return {
        loss,
        divisor: 1,
        outputs: [],
        fill(batch) {
          labels.floats().fill(0).set(batch.labels);
          used.floats().fill(0).fill(1, 0, batch.labels.length);
        },
        read(batch) {
          const scores = score.floats();
          const right = batch.labels.reduce(
            (count, label, row) => count + (scores[row]! > 0 === label > 0.5 ? 1 : 0),
            0,
          );
          return { loss: loss.floats()[0]!, right };
        },
      };
    },
  };
}

/** A head on a model with these weights, starting at probability one half everywhere. */
export function binaryHeadMethod(
  sizes: ModelSizes,
  weights: Weights,
  options: { readonly frozen: boolean; readonly identity: string },
): TrainingMethod {
  const { width } = sizes;
  return {
    identity: `binary head ${options.frozen} ${options.identity}`,
    objective: binaryHead(width),
    initial: new Map([
      ...weights,
      [headWeightName, new Float32Array(width)],
      [headBiasName, new Float32Array(1)],
    ]),
    frozen: options.frozen,
    open: () => asPacked,
  };
}
