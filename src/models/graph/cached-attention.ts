/** Attention over a key-value store: writes the new tokens' rows, then lets each token see the rows its mask allows. */
import type { Graph } from "../../native/ggml/graph.js";
import type { Tensor } from "../../native/ggml/tensor.js";
import type { TensorContext } from "../../native/ggml/tensor-context.js";
import type { KvStore } from "./kv-store.js";
import type { Attention } from "./transformer.js";

/** What a layer's tokens look at. */
export interface LayerSight {
  /** I32 [rows, kvHeads]: which rows each head reads; null: all rows below `rows`, in their order in memory. */
  readonly index: Tensor | null;
  readonly rows: number;
  /** F16 [rows, tokens, 1 or heads], 0 or -infinity. */
  readonly mask: Tensor;
}

/** What attention of one's own has to work with. */
export interface AttentionInputs {
  readonly context: TensorContext;
  readonly graph: Graph;
  readonly layer: number;
  /** Rotated, [headSize, tokens, heads]. */
  readonly queries: Tensor;
  /** Of all rows that the layer may look at, the tokens' own among them, F16 [headSize, rows, kvHeads]. */
  readonly keys: Tensor;
  readonly values: Tensor;
  /** F16 [rows, tokens, 1 or heads], 0 or -infinity. */
  readonly mask: Tensor;
  readonly scale: number;
}

/** Gives [headSize * heads, tokens], or null for the usual attention. */
export type OwnAttention = (inputs: AttentionInputs) => Tensor | null;

export interface CachedAttentionParts {
  readonly context: TensorContext;
  readonly graph: Graph;
  readonly store: KvStore;
  /** Where each token's key and value go, I32 [tokens]. */
  readonly into: Tensor;
  readonly sight: (layer: number) => LayerSight;
  /** Is called with attention rows [rows, tokens, heads] of the layers for which it is not undefined. */
  readonly onRows: (layer: number) => ((weights: Tensor) => void) | undefined;
  readonly own: OwnAttention | undefined;
}

const halfBytes = 2;

export class CachedAttention implements Attention {
  readonly #parts: CachedAttentionParts;

  constructor(parts: CachedAttentionParts) {
    this.#parts = parts;
  }

  attend(layer: number, q: Tensor, k: Tensor, v: Tensor, scale: number): Tensor {
    const { context: c, graph, store, into, sight, onRows, own } = this.#parts;
    const [headSize, heads, tokens] = q.shape;
    const [, kvHeads] = k.shape;
    const width = headSize * kvHeads;
    // In the graph before they are read: the views below do not know what was written.
    graph.expand(c.setRows(store.keys[layer]!, c.reshape(k, width, tokens), into));
    graph.expand(c.setRows(store.values[layer]!, c.reshape(v, width, tokens), into));

    const { index, rows, mask } = sight(layer);
    const byHead = (stored: Tensor) => this.#byHead(stored, headSize, kvHeads, rows, index);
    const keys = byHead(store.keys[layer]!); // [headSize, rows, kvHeads]
    const values = byHead(store.values[layer]!);
    const queries = c.permute(q, 0, 2, 1, 3); // [headSize, tokens, heads]
    const given = own?.({ context: c, graph, layer, queries, keys, values, mask, scale });
    if (given) return given;
    const report = onRows(layer);
    if (!report) {
      const mixed = c.precise(c.flashAttention(queries, keys, values, mask, scale)); // [headSize, heads, tokens]
      return c.reshape(mixed, headSize * heads, tokens);
    }
    const weights = c.softmax(c.precise(c.matmul(keys, queries)), mask, scale); // [rows, tokens, heads]
    report(weights);
    const mixed = c.matmul(c.contiguous(c.transpose(values)), weights); // [headSize, tokens, heads]
    return c.contiguous(c.permute(mixed, 0, 2, 1, 3), headSize * heads, tokens);
  }

  /** Stored rows as F16 [headSize, rows, kvHeads]: a view of the memory, or a copy of the rows each head reads. */
  #byHead(stored: Tensor, headSize: number, kvHeads: number, rows: number, index: Tensor | null): Tensor {
    const { context: c } = this.#parts;
    const strides = [headSize * kvHeads * halfBytes, headSize * halfBytes] as const;
    if (!index) return c.view(stored, [headSize, rows, kvHeads], strides);
    const all = c.view(stored, [headSize, stored.shape[1], kvHeads], strides);
    // Gathered rows come as F32; as F16 again they go through the same kernels as rows in place.
    return c.cast(c.getRows(all, index), "F16");
  }
}
