/** What a model is trained towards: a loss over the places of a batch that have one. */
import type { TransformerOutputs } from "../models/graph/transformer.js";
import type { Tensor } from "../native/ggml/tensor.js";
import type { TensorContext } from "../native/ggml/tensor-context.js";

/** Declares tensors that live as long as the training. */
export interface Declare {
  /** Filled before every pass. */
  input(type: "F32" | "I32", ...shape: readonly number[]): Tensor;
  /** A weight that is trained beside the model's own. */
  parameter(name: string, ...shape: readonly number[]): Tensor;
}

export interface BuiltObjective<Batch> {
  /**
   * One number: the sum of the losses of a batch's outputs, divided by `divisor`. Outputs without a loss have a hidden
   * state of zero, through which no gradient flows into the model.
   */
  readonly loss: Tensor;
  readonly divisor: number;
  /** Tensors to compute beside the loss. */
  readonly outputs: readonly Tensor[];
  /** Writes the inputs of a batch. */
  fill(batch: Batch): void;
  /** After a pass: the sum of the losses, and how many outputs were predicted right. */
  read(batch: Batch): { loss: number; right: number };
}

export interface Objective<Batch> {
  /** `forward` has `losses` outputs, of which a batch uses the first ones. */
  build(
    context: TensorContext,
    forward: TransformerOutputs,
    declare: Declare,
    losses: number,
  ): BuiltObjective<Batch>;
}
