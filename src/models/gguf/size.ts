/** Figures for FLOPs and memory, from the header alone. */

import { freemem } from "node:os";
import { availableMemory } from "node:process";
import { StepwrightError } from "../../core/errors.js";
import type { ModelSize } from "../../core/model.js";
import type { ModelFile } from "./check.js";
import type { Metadata } from "./metadata.js";
import type { TensorInfo } from "./read.js";

/** Looked up, not multiplied; the first is also the output matrix where a model has no other. */
const tokenEmbedding = "token_embd.weight";
const lookedUp = new Set([
  tokenEmbedding,
  "position_embd.weight",
  "token_types.weight",
  "per_layer_token_embd.weight",
]);

export function sizeOf(
  metadata: Metadata,
  architecture: string,
  tensors: readonly TensorInfo[],
  vocabulary: number,
): ModelSize {
  const { heads, keySize, layers } = attentionOf(metadata, architecture);
  const tied = !tensors.some(({ name }) => name === "output.weight");
  const experts = metadata.integer(`${architecture}.expert_count`) ?? 0;
  const used = metadata.largest(`${architecture}.expert_used_count`) ?? 0;
  let parameters = 0;
  let multiplied = 0;
  for (const { name, shape, elements } of tensors) {
    parameters += elements;
    if (shape.length < 2 || (lookedUp.has(name) && !(tied && name === tokenEmbedding))) continue;
    // Of a mixture's matrices a token passes through its own experts only.
    multiplied += name.includes("_exps.") && experts > 0 ? (elements * used) / experts : elements;
  }
  return {
    parameters,
    multiplied,
    layers,
    attentionWidth: (heads.reduce((sum, count) => sum + count, 0) / layers) * keySize,
    vocabulary,
    context: metadata.integer(`${architecture}.context_length`)!,
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Bytes of 16-bit keys and values; an upper bound for models with windowed attention. */
export function bytesPerContextToken(metadata: Metadata, architecture: string): number {
  const { kvHeads, keySize, valueSize } = attentionOf(metadata, architecture);
  return kvHeads.reduce((sum, count) => sum + count * (keySize + valueSize) * 2, 0);
}

export interface MemoryEstimate {
  readonly weights: number;
  readonly cache: number;
  /** Room for the activations of one batch, the rows of logits above all. */
  readonly work: number;
  readonly total: number;
}

export interface MemoryOptions {
  /** Cells of the KV cache; with one stream per sequence, all streams together. */
  readonly cells: number;
  readonly batchTokens?: number;
}

export function estimateMemory(
  model: ModelFile,
  { cells, batchTokens = 512 }: MemoryOptions,
): MemoryEstimate {
  const weights = model.size.bytes;
  const cache = model.bytesPerContextToken * cells;
  const widest = Math.max(
    model.metadata.largest(`${model.architecture}.feed_forward_length`) ?? 0,
    4 * model.width,
  );
  const work = 4 * batchTokens * (model.size.vocabulary + 4 * widest);
  return { weights, cache, work, total: weights + cache + work };
}

/** Throws `model-too-large` before anything is loaded that the machine would have to swap for. */
export function checkMemory(
  model: ModelFile,
  options: MemoryOptions & { readonly availableBytes?: number },
): MemoryEstimate {
  const estimate = estimateMemory(model, options);
  const available = options.availableBytes ?? memoryAvailable();
  if (estimate.total <= available) return estimate;
  throw new StepwrightError(
    "model-too-large",
    `${model.path} needs about ${gibibytes(estimate.total)} (weights ${gibibytes(estimate.weights)}, ` +
      `cache of ${options.cells} cells ${gibibytes(estimate.cache)}, work ${gibibytes(estimate.work)}); ` +
      `${gibibytes(available)} are available`,
    {
      subject: model.path,
      remedy: "take a smaller or more strongly quantized model, lower the context, or close other programs",
    },
  );
}

/** What the process may still take: the machine's available memory within the limits of its container. */
export function memoryAvailable(): number {
  return typeof availableMemory === "function" ? availableMemory() : freemem();
}

function attentionOf(metadata: Metadata, architecture: string) {
  const layers = metadata.integer(`${architecture}.block_count`)!;
  const width = metadata.integer(`${architecture}.embedding_length`)!;
  const heads =
    metadata.perLayer(`${architecture}.attention.head_count`, layers) ?? new Array<number>(layers).fill(0);
  const most = Math.max(...heads);
  const equal = most === 0 ? 0 : width / most;
  return {
    layers,
    heads,
    kvHeads: metadata.perLayer(`${architecture}.attention.head_count_kv`, layers) ?? heads,
    keySize: metadata.integer(`${architecture}.attention.key_length`) ?? equal,
    valueSize: metadata.integer(`${architecture}.attention.value_length`) ?? equal,
  };
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
