/** The tensors of a decoder of the Llama family by their GGUF names, and the random numbers that training starts from. */
import { createHash } from "node:crypto";
import { keyedBits } from "../core/random.js";
import type { ModelSizes } from "./model-recipe.js";

export type Weights = ReadonlyMap<string, Float32Array>;

/** Shapes by name, in the order of a GGUF file; length of a row first. */
export function weightShapes(sizes: ModelSizes): ReadonlyMap<string, readonly number[]> {
  const { layers, width, heads, kvHeads, feedForward, vocabulary } = sizes;
  const kvWidth = (width / heads) * kvHeads;
  const shapes = new Map<string, readonly number[]>([["token_embd.weight", [width, vocabulary]]]);
  for (let layer = 0; layer < layers; layer++) {
    const add = (part: string, ...shape: number[]) => shapes.set(`blk.${layer}.${part}.weight`, shape);
    add("attn_norm", width);
    add("attn_q", width, width);
    add("attn_k", width, kvWidth);
    add("attn_v", width, kvWidth);
    add("attn_output", width, width);
    add("ffn_norm", width);
    add("ffn_gate", width, feedForward);
    add("ffn_up", width, feedForward);
    add("ffn_down", feedForward, width);
  }
  shapes.set("output_norm.weight", [width]);
  if (!sizes.tied) shapes.set("output.weight", [width, vocabulary]);
  return shapes;
}

export function parameterCount(sizes: ModelSizes): number {
  let count = 0;
  for (const shape of weightShapes(sizes).values())
    count += shape.reduce((product, length) => product * length, 1);
  return count;
}

/**
 * Norms are 1. Matrices are normal with deviation 1 / sqrt(3 in), those that write into the residual stream divided by
 * sqrt(2 layers); the embedding has deviation 1 / sqrt(width). Each tensor depends on the seed and its name alone.
 */
export function initialWeights(sizes: ModelSizes, seed: number): Weights {
  const weights = new Map<string, Float32Array>();
  for (const [name, shape] of weightShapes(sizes)) {
    const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
    if (shape.length === 1) values.fill(1);
    else fillNormal(values, deviation(name, shape[0]!, sizes), seed, name);
    weights.set(name, values);
  }
  return weights;
}

function deviation(name: string, inputs: number, sizes: ModelSizes): number {
  if (name === "token_embd.weight") return 1 / Math.sqrt(inputs);
  const writes = name.endsWith("attn_output.weight") || name.endsWith("ffn_down.weight");
  return 1 / Math.sqrt(3 * inputs) / (writes ? Math.sqrt(2 * sizes.layers) : 1);
}

/** Normal numbers of the given deviation, a function of seed and name. */
export function fillNormal(values: Float32Array, deviation: number, seed: number, name: string): void {
  for (let index = 0; index < values.length; index += 2) {
    // Box and Muller: two uniforms give two normals; 1 - u keeps the logarithm finite.
    const u = keyedBits(seed, name, index, "radius") / 2 ** 32;
    const v = keyedBits(seed, name, index, "angle") / 2 ** 32;
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - u));
    values[index] = radius * Math.cos(2 * Math.PI * v);
    if (index + 1 < values.length) values[index + 1] = radius * Math.sin(2 * Math.PI * v);
  }
}

/** Hex SHA-256 over the numbers in the order of the names. */
export function weightsHash(weights: Weights): string {
  const digest = createHash("sha256");
  for (const values of weights.values()) {
    digest.update(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  }
  return digest.digest("hex");
}
