/** One forward pass of a fixed shape: built once, filled and computed again and again. */
import type { CpuBackend } from "../../native/ggml/cpu-backend.js";
import { Graph, GraphMemory } from "../../native/ggml/graph.js";
import type { Tensor } from "../../native/ggml/tensor.js";
import { TensorContext } from "../../native/ggml/tensor-context.js";
import { CachedAttention, type LayerSight } from "./cached-attention.js";
import type { TransformerConfig } from "./config.js";
import { type ForwardPlan, hooksFor, planKey } from "./forward-plan.js";
import type { KvStore } from "./kv-store.js";
import { forwardNodes, Transformer, type Weights } from "./transformer.js";

export interface ForwardShape {
  readonly tokens: number;
  /** Tokens after which logits are wanted. */
  readonly outputs: number;
  /** Rows that attention looks at: the same ones for all layers, or so many for each. */
  readonly rows: number | readonly number[];
  readonly plan: ForwardPlan;
  /** Parts that blended tokens have together. */
  readonly blended: number;
}

export function shapeKey({ tokens, outputs, rows, plan, blended }: ForwardShape): string {
  return `${tokens} ${outputs} ${rows} ${blended} ${planKey(plan)}`;
}

export interface ForwardParts {
  readonly config: TransformerConfig;
  readonly weights: Weights;
  readonly store: KvStore;
  readonly backend: CpuBackend;
}

/** Nodes that hooks of a plan may add to a layer. */
const hookedNodes = 64;

export class ForwardGraph {
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  /** Row of the store that each token is written to. */
  readonly into: Int32Array;
  /** Which tokens have outputs; null when all have. */
  readonly outputs: Int32Array | null;
  /** What blended tokens are made of; null where there are none. */
  readonly blend: {
    readonly parts: Int32Array;
    /** [parts, tokens]. */
    readonly weights: Float32Array;
    readonly plain: Float32Array;
  } | null;
  /** Masks and row indices; layers that look at the same rows share one entry. */
  readonly sights: readonly {
    readonly layers: readonly number[];
    readonly index: Int32Array | null;
    readonly mask: Uint16Array;
  }[];
  /** [vocabulary, outputs]; meaningless without outputs. */
  readonly logits: Tensor;
  /** [width, outputs]. */
  readonly hidden: Tensor;
  readonly tapped: ReadonlyMap<string, Tensor>;
  readonly graph: Graph;
  readonly #context: TensorContext;
  readonly #memory: GraphMemory;

  constructor(parts: ForwardParts, shape: ForwardShape) {
    const { config, weights, store, backend } = parts;
    const { tokens, plan } = shape;
    const nodes = forwardNodes(config.layers, hookedNodes);
    const c = new TensorContext(backend.native, { tensors: 2 * nodes, graphNodes: nodes });
    this.#context = c;
    this.graph = new Graph(c, nodes);
    const integers = (length: number) => c.input(c.tensor("I32", length));
    const input = {
      tokens: integers(tokens),
      positions: integers(tokens),
      blend:
        shape.blended === 0
          ? undefined
          : {
              parts: integers(shape.blended),
              weights: c.input(c.tensor("F32", shape.blended, tokens)),
              plain: c.input(c.tensor("F32", 1, tokens)),
            },
      outputs: shape.outputs > 0 && shape.outputs < tokens ? integers(shape.outputs) : null,
    };
    const into = integers(tokens);
    const sights = declareSights(c, config, shape);
    const planned = hooksFor(plan, config, c, this.graph);
    const attention = new CachedAttention({
      context: c,
      graph: this.graph,
      store,
      into,
      sight: (layer) => sights.find(({ layers }) => layers.includes(layer))!.sight,
      onRows: planned.onRows,
      own: plan.attention?.attend,
    });
    const result = new Transformer(c, config, weights, attention, planned.hooks).build(input);
    this.logits = c.output(result.logits);
    this.hidden = c.output(result.hidden);
    // Without outputs the keys and values are all that is wanted, and they are in the graph already.
    if (shape.outputs > 0) this.graph.expand(result.logits);
    this.#memory = new GraphMemory(c, backend.plain);
    this.#memory.allocate(this.graph);

    this.tokens = filled(input.tokens);
    this.positions = filled(input.positions);
    this.into = filled(into);
    this.outputs = input.outputs ? filled(input.outputs) : null;
    this.blend = input.blend
      ? {
          parts: filled(input.blend.parts),
          weights: input.blend.weights.floats(),
          plain: input.blend.plain.floats(),
        }
      : null;
    this.sights = sights.map(({ layers, sight }) => ({
      layers,
      index: sight.index ? filled(sight.index) : null,
      // Layers whose attention is skipped leave their mask out of the graph.
      mask: sight.mask.data === 0n ? new Uint16Array(0) : sight.mask.halves(),
    }));
    for (const { tensor, values } of planned.constants) tensor.floats().set(values);
    this.tapped = planned.tapped;
  }

  /** Bytes of intermediate results. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  free(): void {
    this.#memory.free();
    this.#context.free();
  }
}

/** An input's numbers; none where nothing in the graph needs it. */
function filled(tensor: Tensor): Int32Array {
  return tensor.data === 0n ? new Int32Array(0) : tensor.integers();
}

interface DeclaredSight {
  readonly layers: readonly number[];
  readonly sight: LayerSight;
}

function declareSights(
  c: TensorContext,
  { layers, window, heads, kvHeads }: TransformerConfig,
  { rows, tokens }: ForwardShape,
): DeclaredSight[] {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  if (typeof rows !== "number") {
    return all.map((layer) => ({
      layers: [layer],
      sight: {
        index: c.input(c.tensor("I32", rows[layer]!, kvHeads)),
        rows: rows[layer]!,
        mask: c.input(c.tensor("F16", rows[layer]!, tokens, heads)),
      },
    }));
  }
  const kinds = [false, true].map((windowed) =>
    all.filter((layer) => (window?.layers[layer] ?? false) === windowed),
  );
  return kinds
    .filter((kind) => kind.length > 0)
    .map((kind) => ({
      layers: kind,
      sight: { index: null, rows, mask: c.input(c.tensor("F16", rows, tokens)) },
    }));
}
