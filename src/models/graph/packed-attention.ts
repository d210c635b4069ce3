/** Attention among the tokens of a batch, without a cache, from operations that have a gradient: for training. */
import type { Tensor } from "../../native/ggml/tensor.js";
import type { TensorContext } from "../../native/ggml/tensor-context.js";
import type { Attention } from "./transformer.js";

export class PackedAttention implements Attention {
  readonly #c: TensorContext;
  readonly #rows: number;
  readonly #mask: Tensor;

  /**
   * For batches of `rows` sequences of equal length, one after the other. `mask` F32 [length, length, 1, 1 or rows],
   * keys first: 0 where a query (dimension 1) may look, -infinity elsewhere.
   */
  constructor(context: TensorContext, rows: number, mask: Tensor) {
    this.#c = context;
    this.#rows = rows;
    this.#mask = mask;
  }

  attend(_layer: number, q: Tensor, k: Tensor, v: Tensor, scale: number): Tensor {
    const c = this.#c;
    const [headSize, heads, tokens] = q.shape;
    const kvHeads = k.shape[1];
    const length = tokens / this.#rows;
    const apart = (x: Tensor) => c.reshape(x, headSize, heads, length, this.#rows);
    // ggml has no gradient of a batched product in which query heads share a key head: each gets a copy.
    const forEachHead = (x: Tensor) =>
      kvHeads === heads
        ? x
        : c.repeat(c.reshape(x, headSize, 1, kvHeads, tokens), headSize, heads / kvHeads, kvHeads, tokens);
    const queries = c.permute(apart(q), 0, 2, 1, 3); // [headSize, length, heads, rows]
    const keys = c.permute(apart(forEachHead(k)), 0, 2, 1, 3);
    const values = c.contiguous(c.permute(apart(forEachHead(v)), 1, 2, 0, 3)); // [length, headSize, heads, rows]
    const weights = c.softmax(c.matmul(keys, queries), this.#mask, scale); // [length, length, heads, rows]
    const mixed = c.matmul(values, weights); // [headSize, length, heads, rows]
    return c.contiguous(c.permute(mixed, 0, 2, 1, 3), headSize * heads, tokens);
  }
}

/** Fills a causal mask [length, length]: each position sees itself and those before it. */
export function fillCausalMask(mask: Float32Array, length: number): void {
  mask.fill(Number.NEGATIVE_INFINITY);
  for (let query = 0; query < length; query++) mask.fill(0, query * length, query * length + query + 1);
}
