/** Provisional forward pass of the Llama family over packed rows. */
import type { Tensor } from "../native/ggml/tensor.js";
import type { TensorContext } from "../native/ggml/tensor-context.js";
import type { ModelSizes } from "./model-recipe.js";

export interface PackedInputs {
  /** I32 [tokens]. */
  readonly tokens: Tensor;
  /** I32 [tokens]. */
  readonly positions: Tensor;
  /** F32 [rowLength, group x rowLength, 1, rows]. */
  readonly mask: Tensor;
  readonly rows: number;
  readonly rowLength: number;
}

/** Hidden states after the last norm, [width, tokens]. */
export function decoderHidden(
  context: TensorContext,
  weight: (name: string) => Tensor,
  sizes: ModelSizes,
  inputs: PackedInputs,
): Tensor {
  const { width, heads, kvHeads, layers } = sizes;
  const { rows, rowLength, positions, mask } = inputs;
  const headSize = width / heads;
  const group = heads / kvHeads;
  const places = rows * rowLength;
  const epsilon = sizes.normEpsilon ?? 1e-5;
  const rotation = {
    positions,
    factors: null,
    dimensions: headSize,
    halves: false,
    base: sizes.ropeBase ?? 10000,
    scale: 1,
  };
  const norm = (x: Tensor, name: string) => context.multiply(context.rmsNorm(x, epsilon), weight(name));
  let x = context.getRows(weight("token_embd.weight"), inputs.tokens);
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    const attentionInput = norm(x, name("attn_norm"));
    const linear = (part: string, input: Tensor) => context.matmul(weight(name(part)), input);
    const q = context.rotate(
      context.reshape(linear("attn_q", attentionInput), headSize, heads, places),
      rotation,
    );
    const k = context.rotate(
      context.reshape(linear("attn_k", attentionInput), headSize, kvHeads, places),
      rotation,
    );
    const v = linear("attn_v", attentionInput);
    const byHead = context.contiguous(
      context.permute(context.reshape(q, headSize * group, kvHeads, rowLength, rows), 0, 2, 1, 3),
    );
    const queries = context.reshape(byHead, headSize, group * rowLength, kvHeads, rows);
    const keys = context.permute(context.reshape(k, headSize, kvHeads, rowLength, rows), 0, 2, 1, 3);
    const values = context.contiguous(
      context.permute(context.reshape(v, headSize, kvHeads, rowLength, rows), 1, 2, 0, 3),
    );
    const attention = context.softmax(context.matmul(keys, queries), mask, 1 / Math.sqrt(headSize));
    const mixed = context.reshape(
      context.matmul(values, attention),
      headSize * group,
      rowLength,
      kvHeads,
      rows,
    );
    const joined = context.contiguous(context.permute(mixed, 0, 2, 1, 3), width, places);
    x = context.add(x, linear("attn_output", joined));
    const feedInput = norm(x, name("ffn_norm"));
    const gated = context.swiglu(linear("ffn_gate", feedInput), linear("ffn_up", feedInput));
    x = context.add(x, linear("ffn_down", gated));
  }
  return norm(x, "output_norm.weight");
}
