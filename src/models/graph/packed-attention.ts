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
    const group = heads / kvHeads;
    const apart = (x: Tensor, count: number) => c.reshape(x, headSize, count, length, this.#rows);
    // Query heads that share a key head stand below each other, as one long list of queries: no key is copied, and
    // contiguous queries meet ggml's fast product.
    const queries = c.reshape(
      c.contiguous(c.permute(apart(q, heads), 0, 2, 1, 3)), // [headSize, length, heads, rows]
      headSize,
      length * group,
      kvHeads,
      this.#rows,
    );
    const keys = c.permute(apart(k, kvHeads), 0, 2, 1, 3); // [headSize, length, kvHeads, rows]
    const values = c.contiguous(c.permute(apart(v, kvHeads), 1, 2, 0, 3)); // [length, headSize, kvHeads, rows]
    const scores = c.reshape(c.matmul(keys, queries), length, length, heads, this.#rows);
    // Kept, because ggml's allocator would let softmax's gradient overwrite the very weights that it reads.
    const weights = c.output(c.softmax(scores, this.#mask, scale));
    const grouped = c.reshape(weights, length, length * group, kvHeads, this.#rows);
    const mixed = c.reshape(c.matmul(values, grouped), headSize, length, heads, this.#rows);
    return c.contiguous(c.permute(mixed, 0, 2, 1, 3), headSize * heads, tokens);
  }
}

/** Fills a causal mask [length, length]: each position sees itself and those before it. */
export function fillCausalMask(mask: Float32Array, length: number): void {
  mask.fill(Number.NEGATIVE_INFINITY);
  for (let query = 0; query < length; query++) mask.fill(0, query * length, query * length + query + 1);
}
