/**
 * Low-rank adapters: beside a fixed matrix W stands the product of two thin ones, y = W x + (alpha / rank) B A x.
 * Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1.
 */
import type { TransformerHooks } from "../models/graph/transformer.js";
import type { TensorContext } from "../native/ggml/tensor-context.js";
import { fillNormal, type Weights, weightShapes } from "./initial-weights.js";
import type { ModelSizes } from "./model-recipe.js";
import type { Declare } from "./objective.js";

export interface Adapter {
  readonly rank: number;
  /** The product counts alpha / rank times. */
  readonly alpha: number;
  /** Adapted matrices by the part of their names after the layer, e.g. `attn_q`. */
  readonly parts: readonly string[];
}

/** Names of A and B as in GGUF adapter files. */
const nameA = (name: string) => `${name}.lora_a`;
const nameB = (name: string) => `${name}.lora_b`;

function isAdapted(name: string, { parts }: Adapter): boolean {
  return parts.some((part) => name.endsWith(`.${part}.weight`));
}

/** Declares A [in, rank] and B [rank, out] of each adapted matrix and adds their product. */
export function adapterHook(
  context: TensorContext,
  adapter: Adapter,
  shapes: ReadonlyMap<string, readonly number[]>,
  parameter: Declare["parameter"],
): Pick<TransformerHooks, "adapt"> {
  return {
    adapt(name, input, product) {
      const matrix = `${name}.weight`;
      if (!isAdapted(matrix, adapter)) return product;
      const [inputs, outputs] = shapes.get(matrix)!;
      const a = parameter(nameA(matrix), inputs!, adapter.rank);
      const b = parameter(nameB(matrix), adapter.rank, outputs!);
      const change = context.matmul(b, context.matmul(a, input));
      return context.add(product, context.scale(change, adapter.alpha / adapter.rank));
    },
  };
}

/** A normal with deviation 1 / sqrt(in), B zero: the adapted model starts as the model itself. */
export function initialAdapter(sizes: ModelSizes, adapter: Adapter, seed: number): Weights {
  const weights = new Map<string, Float32Array>();
  for (const [name, [inputs, outputs]] of weightShapes(sizes)) {
    if (!isAdapted(name, adapter)) continue;
    const a = new Float32Array(inputs! * adapter.rank);
    fillNormal(a, 1 / Math.sqrt(inputs!), seed, nameA(name));
    weights.set(nameA(name), a);
    weights.set(nameB(name), new Float32Array(adapter.rank * outputs!));
  }
  return weights;
}

/** The model with the adapter's product added into its matrices: it runs anywhere, and no slower. */
export function mergeAdapter(sizes: ModelSizes, base: Weights, adapter: Adapter, trained: Weights): Weights {
  const merged = new Map(base);
  for (const [name, [inputs, outputs]] of weightShapes(sizes)) {
    if (!isAdapted(name, adapter)) continue;
    const a = trained.get(nameA(name))!;
    const b = trained.get(nameB(name))!;
    const matrix = base.get(name)!.slice();
    for (let output = 0; output < outputs!; output++) {
      for (let rank = 0; rank < adapter.rank; rank++) {
        const factor = (b[output * adapter.rank + rank]! * adapter.alpha) / adapter.rank;
        for (let input = 0; input < inputs!; input++) {
          matrix[output * inputs! + input]! += factor * a[rank * inputs! + input]!;
        }
      }
    }
    merged.set(name, matrix);
  }
  return merged;
}
