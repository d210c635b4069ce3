/** The tensors through which a packed batch enters a graph. */
import { llamaConfig, type TransformerConfig } from "../models/graph/config.js";
import { PackedAttention } from "../models/graph/packed-attention.js";
import {
  Transformer,
  type TransformerHooks,
  type TransformerOutputs,
  type Weights,
} from "../models/graph/transformer.js";
import type { Tensor } from "../native/ggml/tensor.js";
import type { TensorContext } from "../native/ggml/tensor-context.js";
import { defaultNormEpsilon, defaultRopeBase, type ModelSizes } from "./model-recipe.js";
import { type BatchRoom, fillMask, type PackedBatch } from "./packing.js";

export class PackedInputs {
  readonly #rows: number;
  /** I32 [places]. */
  readonly #tokens: Tensor;
  readonly #positions: Tensor;
  /** F32 [rowLength, rowLength, 1, rows]. */
  readonly #mask: Tensor;
  /** I32 [losses]: the places whose outputs are wanted; 0 where they are fewer. */
  readonly #outputs: Tensor;

  /** Declares them in a context that is allocated later. */
  constructor(context: TensorContext, { rows, losses }: BatchRoom, rowLength: number) {
    this.#rows = rows;
    this.#tokens = context.tensor("I32", rows * rowLength);
    this.#positions = context.tensor("I32", rows * rowLength);
    this.#mask = context.tensor("F32", rowLength, rowLength, 1, rows);
    this.#outputs = context.tensor("I32", losses);
  }

  /** The model's outputs at the places with a loss. */
  build(
    context: TensorContext,
    sizes: ModelSizes,
    weights: Weights,
    hooks: TransformerHooks = {},
  ): TransformerOutputs {
    const attention = new PackedAttention(context, this.#rows, this.#mask);
    return new Transformer(context, decoderConfig(sizes), weights, attention, hooks).build({
      tokens: this.#tokens,
      positions: this.#positions,
      outputs: this.#outputs,
    });
  }

  fill(batch: PackedBatch): void {
    this.#tokens.integers().set(batch.tokens);
    this.#positions.integers().set(batch.positions);
    fillMask(this.#mask.floats(), batch);
    this.#outputs.integers().fill(0).set(batch.lossPlaces);
  }
}

function decoderConfig(sizes: ModelSizes): TransformerConfig {
  const { layers, width, heads, kvHeads } = sizes;
  return llamaConfig({
    layers,
    width,
    heads,
    kvHeads,
    normEpsilon: sizes.normEpsilon ?? defaultNormEpsilon,
    rope: {
      base: sizes.ropeBase ?? defaultRopeBase,
      scale: 1,
      dimensions: width / heads,
      pairs: "neighbours",
    },
  });
}
