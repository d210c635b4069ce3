/** How a model is trained on its examples: towards what, from which weights, and which of them move. */
import { crossEntropy } from "./cross-entropy.js";
import { initialWeights, type Weights } from "./initial-weights.js";
import { type Adapter, initialAdapter } from "./low-rank-adapter.js";
import type { ModelRecipe } from "./model-recipe.js";
import type { Objective } from "./objective.js";
import type { BatchRoom, PackedBatch } from "./packing.js";

export interface TrainingMethod<Batch extends PackedBatch = PackedBatch> {
  /** All that the trained weights depend on beside recipe and examples. */
  readonly identity: string;
  readonly objective: Objective<Batch>;
  /** Every weight that training starts from, by name. */
  readonly initial: Weights;
  readonly adapter?: Adapter;
  readonly frozen?: boolean;
  /** Gets ready for batches of this room. */
  open(room: BatchRoom): BatchPreparation<Batch>;
}

export interface BatchPreparation<Batch> {
  /** Adds what the objective needs. */
  prepare(batch: PackedBatch): Promise<Batch>;
  free(): void;
}

/** For objectives that need no more than the batch itself. */
export const asPacked: BatchPreparation<PackedBatch> = {
  prepare: async (batch) => batch,
  free: () => {},
};

/** From random weights towards the next token. */
export function nextToken({ sizes, plan }: ModelRecipe): TrainingMethod {
  return {
    identity: "",
    objective: crossEntropy(sizes.vocabulary),
    initial: initialWeights(sizes, plan.seed),
    open: () => asPacked,
  };
}

/** The same method, but only a low-rank adapter of the weights moves. */
export function adapted<Batch extends PackedBatch>(
  method: TrainingMethod<Batch>,
  { sizes, plan }: ModelRecipe,
  adapter: Adapter,
): TrainingMethod<Batch> {
  return {
    ...method,
    identity: `${method.identity} adapter ${JSON.stringify(adapter)}`,
    adapter,
    initial: new Map([...method.initial, ...initialAdapter(sizes, adapter, plan.seed)]),
  };
}
