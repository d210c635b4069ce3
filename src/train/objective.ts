/** What a model is trained towards: a loss over the places of a batch that have one. */

import type { TransformerOutputs } from "../models/graph/transformer.js";
import type { Tensor } from "../native/ggml/tensor.js";
import type { TensorContext } from "../native/ggml/tensor-context.js";

/** Memory for an objective's inputs, filled before every pass. */
export type DeclareInput = (type: "F32" | "I32", ...shape: readonly number[]) => Tensor;

export interface BuiltObjective<Batch> {
  /**
   * One number: the sum of the losses of a batch's places, divided by `divisor`. Its gradient must be right for every
   * place that has a loss; others get none, because their hidden states are constants.
   */
  readonly loss: Tensor;
  readonly divisor: number;
  /** Tensors to compute beside the loss. */
  readonly outputs: readonly Tensor[];
  /** Writes the inputs of a batch. */
  fill(batch: Batch): void;
  /** After a pass: the sum of the losses, and how many places were predicted right. */
  read(batch: Batch): { loss: number; right: number };
}

export interface Objective<Batch> {
  build(
    context: TensorContext,
    forward: TransformerOutputs,
    input: DeclareInput,
    places: number,
  ): BuiltObjective<Batch>;
}
