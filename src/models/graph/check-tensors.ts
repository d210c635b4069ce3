/** The check a file's tensors pass before graphs are built of them: ggml ends the process on shapes that do not fit. */
import { StepwrightError } from "../../core/errors.js";
import type { ModelFile } from "../gguf/check.js";
import type { TransformerConfig } from "./config.js";

/**
 * Throws `model-invalid` when a tensor is missing or has another shape than the config asks for, or the rotation does
 * not fit the heads.
 */
export function checkTensors(file: ModelFile, config: TransformerConfig): void {
  const shapes = new Map(
    file.parts.flatMap(({ tensors }) => tensors.map(({ name, shape }) => [name, shape])),
  );
  const invalid = (problem: string) =>
    new StepwrightError("model-invalid", `${file.path}: ${problem}`, { subject: file.path });
  const check = (name: string, expected: readonly number[], optional: boolean) => {
    const shape = shapes.get(name);
    if (shape === undefined) {
      if (optional) return;
      throw invalid(`it lacks the tensor "${name}"`);
    }
    const same = shape.length === expected.length && shape.every((length, axis) => length === expected[axis]);
    if (!same) throw invalid(`its tensor "${name}" is [${shape}], not [${expected}]`);
  };
  const { rope, headSize } = config;
  if (rope.dimensions < 2 || rope.dimensions > headSize || rope.dimensions % 2 !== 0) {
    throw invalid(`it turns ${rope.dimensions} of ${headSize} numbers of a head`);
  }
  const feedForward = shapes.get("blk.0.ffn_up.weight")?.[1] ?? 0;
  const { count } = file.tokenizer;
  for (const [name, shape] of Object.entries(required(config, count, feedForward))) check(name, shape, false);
  for (const [name, shape] of Object.entries(optional(config, count, feedForward))) check(name, shape, true);
}

type Shapes = Record<string, readonly number[]>;

function required(config: TransformerConfig, vocabulary: number, feedForward: number): Shapes {
  const { width, heads, kvHeads, headSize } = config;
  return {
    "token_embd.weight": [width, vocabulary],
    "output_norm.weight": [width],
    ...inEveryLayer(config, {
      "attn_norm.weight": [width],
      "attn_q.weight": [width, heads * headSize],
      "attn_k.weight": [width, kvHeads * headSize],
      "attn_v.weight": [width, kvHeads * headSize],
      "attn_output.weight": [heads * headSize, width],
      "ffn_norm.weight": [width],
      "ffn_gate.weight": [width, feedForward],
      "ffn_up.weight": [width, feedForward],
      "ffn_down.weight": [feedForward, width],
    }),
  };
}

function optional(config: TransformerConfig, vocabulary: number, feedForward: number): Shapes {
  const { width, heads, kvHeads, headSize, rope } = config;
  return {
    "output.weight": [width, vocabulary],
    "output.bias": [vocabulary],
    "rope_freqs.weight": [rope.dimensions / 2],
    ...inEveryLayer(config, {
      "attn_q.bias": [heads * headSize],
      "attn_k.bias": [kvHeads * headSize],
      "attn_v.bias": [kvHeads * headSize],
      "attn_output.bias": [width],
      "attn_q_norm.weight": [headSize],
      "attn_k_norm.weight": [headSize],
      "post_attention_norm.weight": [width],
      "post_ffw_norm.weight": [width],
      "ffn_gate.bias": [feedForward],
      "ffn_up.bias": [feedForward],
      "ffn_down.bias": [width],
    }),
  };
}

function inEveryLayer({ layers }: TransformerConfig, shapes: Shapes): Shapes {
  const all: Shapes = {};
  for (let layer = 0; layer < layers; layer++) {
    for (const [part, shape] of Object.entries(shapes)) all[`blk.${layer}.${part}`] = shape;
  }
  return all;
}
