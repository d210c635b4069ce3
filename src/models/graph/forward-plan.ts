/** What a forward pass does beside the plain one, and how the hooks for it are made. */
import type { Graph } from "../../native/ggml/graph.js";
import type { Tensor } from "../../native/ggml/tensor.js";
import type { TensorContext } from "../../native/ggml/tensor-context.js";
import type { OwnAttention } from "./cached-attention.js";
import type { TransformerConfig } from "./config.js";
import type { Point, TransformerHooks } from "./transformer.js";

/** A place to read after the pass: a point of a layer, or its attention rows ([rows, tokens, heads], slower). */
export interface Tap {
  readonly point: Point | "rows";
  readonly layer: number;
}

export interface ForwardPlan {
  readonly taps?: readonly Tap[];
  /** Layers whose attention is left out: it adds nothing, and its keys and values are not written. */
  readonly skipAttention?: readonly number[];
  readonly skipFeedForward?: readonly number[];
  /** Layers that run before the last norm and the output matrix; default all. */
  readonly depth?: number;
  /** Query heads whose result counts as zero. */
  readonly skipHeads?: readonly { readonly layer: number; readonly head: number }[];
  /** Operations of one's own at any point. Graphs are kept and found again by the key: it names all that they do. */
  readonly replace?: {
    readonly key: string;
    at(context: TensorContext, point: Point, layer: number, tensor: Tensor): Tensor;
  };
  /** Attention of one's own over the stored keys and values; the key as in `replace`. */
  readonly attention?: { readonly key: string; readonly attend: OwnAttention };
}

/** The same for plans whose graphs are the same. */
export function planKey(plan: ForwardPlan): string {
  const {
    taps = [],
    skipAttention = [],
    skipFeedForward = [],
    depth,
    skipHeads = [],
    replace,
    attention,
  } = plan;
  return JSON.stringify([
    taps.map(({ point, layer }) => `${point}${layer}`),
    skipAttention,
    skipFeedForward,
    depth ?? null,
    skipHeads.map(({ layer, head }) => `${layer}.${head}`),
    replace?.key ?? null,
    attention?.key ?? null,
  ]);
}

export interface PlannedHooks {
  readonly hooks: TransformerHooks;
  /** Which layers report their attention rows, and to whom. */
  onRows(layer: number): ((weights: Tensor) => void) | undefined;
  /** What the taps read, by `tapName`. */
  readonly tapped: ReadonlyMap<string, Tensor>;
  /** Tensors to fill once the graph has memory. */
  readonly constants: readonly { readonly tensor: Tensor; readonly values: Float32Array }[];
}

export function tapName({ point, layer }: Tap): string {
  return `${layer} ${point}`;
}

export function hooksFor(
  plan: ForwardPlan,
  config: TransformerConfig,
  context: TensorContext,
  graph: Graph,
): PlannedHooks {
  const wanted = new Set((plan.taps ?? []).map(tapName));
  const tapped = new Map<string, Tensor>();
  const constants: { tensor: Tensor; values: Float32Array }[] = [];
  const record = (tap: Tap, tensor: Tensor) => {
    const name = tapName(tap);
    // A copy: the memory of a view may serve something else before the graph has ended.
    if (wanted.has(name)) tapped.set(name, graph.expand(context.output(context.contiguous(tensor))));
  };
  const withoutHeads = (layer: number, tensor: Tensor): Tensor => {
    const heads = (plan.skipHeads ?? []).filter((entry) => entry.layer === layer).map(({ head }) => head);
    if (heads.length === 0) return tensor;
    const values = Float32Array.from({ length: config.heads }, (_, head) => (heads.includes(head) ? 0 : 1));
    // An output too: the memory of mere inputs is reused after their last use, and this one is filled only once.
    const factors = context.output(context.input(context.tensor("F32", 1, config.heads)));
    constants.push({ tensor: factors, values });
    const [width, tokens] = tensor.shape;
    const apart = context.reshape(tensor, config.headSize, config.heads, tokens);
    return context.reshape(context.multiply(apart, factors), width, tokens);
  };
  return {
    tapped,
    constants,
    onRows: (layer) => {
      const tap = { point: "rows", layer } as const;
      return wanted.has(tapName(tap)) ? (weights) => record(tap, weights) : undefined;
    },
    hooks: {
      ...(plan.depth === undefined ? {} : { depth: plan.depth }),
      skipsAttention: (layer) => plan.skipAttention?.includes(layer) ?? false,
      skipsFeedForward: (layer) => plan.skipFeedForward?.includes(layer) ?? false,
      at(point, layer, tensor) {
        const kept = point === "heads" ? withoutHeads(layer, tensor) : tensor;
        const replaced = plan.replace?.at(context, point, layer, kept) ?? kept;
        record({ point, layer }, replaced);
        return replaced;
      },
    },
  };
}
