/**
 * Towards the laws of a teacher over the next token, place by place. `kl`: Kullback-Leibler divergence of the student
 * from the teacher, in nats. `tv`: total variation distance, which bounds how often a speculated token is refused
 * (card speculative-sampling).
 */
import { createHash } from "node:crypto";
import { loadNative } from "../native/load.js";
import { type Weights, weightsHash } from "./initial-weights.js";
import type { ModelRecipe, ModelSizes } from "./model-recipe.js";
import type { Objective } from "./objective.js";
import { PackedModel } from "./packed-model.js";
import type { PackedBatch } from "./packing.js";
import type { TrainingMethod } from "./training-method.js";

export type DistillationLoss = "kl" | "tv";

export interface TaughtBatch extends PackedBatch {
  /** The teacher's law at each place with a loss, row after row. */
  readonly laws: Float32Array;
}

export function distillationObjective(kind: DistillationLoss, vocabulary: number): Objective<TaughtBatch> {
  return {
    build(context, { logits }, declare, losses) {
      const laws = declare.input("F32", vocabulary, losses);
      const guess = context.output(context.argmax(logits));
      // Cross-entropy with the teacher's law is the divergence plus the law's entropy, which has no gradient.
      const loss =
        kind === "kl"
          ? context.crossEntropy(logits, laws)
          : context.sum(context.absolute(context.subtract(context.softmax(logits, null), laws)));
      return {
        loss,
        // The distance is half of the sum.
        divisor: kind === "kl" ? losses : 1 / 2,
        outputs: [guess],
        fill(batch) {
          const rows = laws.floats();
          rows.set(batch.laws);
          // Outputs without a loss have logits of zero: a uniform law.
          rows.fill(kind === "kl" ? 0 : 1 / vocabulary, batch.laws.length);
        },
        read(batch) {
          const sum = loss.floats()[0]!;
          const guesses = guess.integers();
          let right = 0;
          for (let row = 0; row < batch.targets.length; row++) {
            if (guesses[row] === largest(batch.laws, row * vocabulary, vocabulary)) right++;
          }
          return { loss: kind === "kl" ? sum * losses - entropy(batch.laws) : sum / 2, right };
        },
      };
    },
  };
}

/** From `initial` towards a teacher with the same vocabulary, which reads the same packed batches. */
export function distillation(
  recipe: ModelRecipe,
  kind: DistillationLoss,
  initial: Weights,
  teacher: { readonly sizes: ModelSizes; readonly weights: Weights },
): TrainingMethod<TaughtBatch> {
  const { vocabulary } = recipe.sizes;
  const digest = createHash("sha256").update(weightsHash(teacher.weights)).update(weightsHash(initial));
  return {
    identity: `${kind} ${digest.digest("hex")}`,
    objective: distillationObjective(kind, vocabulary),
    initial,
    open(room) {
      const model = new PackedModel(
        loadNative(),
        teacher.sizes,
        teacher.weights,
        room,
        recipe.plan.rowLength,
      );
      return {
        async prepare(batch) {
          const laws = (await model.logits(batch)).slice(0, batch.targets.length * vocabulary);
          for (let row = 0; row < batch.targets.length; row++) {
            softmaxInPlace(laws.subarray(row * vocabulary, (row + 1) * vocabulary));
          }
          return { ...batch, laws };
        },
        free: () => model.free(),
      };
    },
  };
}

function softmaxInPlace(row: Float32Array): void {
  const greatest = row.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  let total = 0;
  for (let index = 0; index < row.length; index++) {
    row[index] = Math.exp(row[index]! - greatest);
    total += row[index]!;
  }
  for (let index = 0; index < row.length; index++) row[index]! /= total;
}

function largest(values: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let index = 1; index < count; index++) if (values[from + index]! > values[from + best]!) best = index;
  return best;
}

function entropy(laws: Float32Array): number {
  let sum = 0;
  for (const probability of laws) if (probability > 0) sum -= probability * Math.log(probability);
  return sum;
}
