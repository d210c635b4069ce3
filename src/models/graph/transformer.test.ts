import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CpuBackend } from "../../native/ggml/cpu-backend.js";
import { Graph, GraphMemory } from "../../native/ggml/graph.js";
import type { Tensor } from "../../native/ggml/tensor.js";
import { TensorContext } from "../../native/ggml/tensor-context.js";
import { loadNative } from "../../native/load.js";
import { llamaConfig, type TransformerConfig } from "./config.js";
import { fillCausalMask, PackedAttention } from "./packed-attention.js";
import { forwardNodes, Transformer, type TransformerHooks } from "./transformer.js";

const native = loadNative();
const vocabulary = 32;
const feedForward = 32;
const rows = 2;
const length = 5;
const tokens = rows * length;
let backend: CpuBackend;

beforeAll(() => {
  backend = new CpuBackend(native);
});
afterAll(() => backend.free());

/** A model with small random weights, its packed batch and the loss of predicting the given labels. */
class Bench {
  readonly weights = new Map<string, Tensor>();
  readonly #fixed = new TensorContext(native, { tensors: 64 });
  readonly #free: (() => void)[] = [];

  constructor(readonly config: TransformerConfig) {
    const { width, heads, kvHeads, headSize, layers } = config;
    const add = (name: string, ...shape: number[]) =>
      this.weights.set(name, this.#fixed.parameter(this.#fixed.tensor("F32", ...shape)));
    add("token_embd.weight", width, vocabulary);
    for (let layer = 0; layer < layers; layer++) {
      const name = (part: string) => `blk.${layer}.${part}.weight`;
      add(name("attn_norm"), width);
      add(name("attn_q"), width, heads * headSize);
      add(name("attn_k"), width, kvHeads * headSize);
      add(name("attn_v"), width, kvHeads * headSize);
      add(name("attn_output"), heads * headSize, width);
      add(name("ffn_norm"), width);
      add(name("ffn_gate"), width, feedForward);
      add(name("ffn_up"), width, feedForward);
      add(name("ffn_down"), feedForward, width);
    }
    add("output_norm.weight", width);
    add("output.weight", width, vocabulary);
    const buffer = this.#fixed.allocate(backend.plain);
    this.#free.push(() => buffer.free());
    let state = 12345;
    const random = () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return state / 0x7fffffff - 0.5;
    };
    for (const tensor of this.weights.values()) {
      const isNorm = tensor.shape[1] === 1;
      const floats = tensor.floats();
      for (let index = 0; index < floats.length; index++)
        floats[index] = isNorm ? 1 + random() / 4 : random();
    }
  }

  /** Loss and the gradients of all weights; or, without `gradients`, the loss alone. */
  run(gradients: boolean, hooks: TransformerHooks = {}) {
    const nodes = 4 * forwardNodes(this.config.layers);
    const c = new TensorContext(native, { tensors: 2 * nodes, graphNodes: nodes, gradients: true });
    const input = {
      tokens: c.input(c.tensor("I32", tokens)),
      positions: c.input(c.tensor("I32", tokens)),
      outputs: null,
    };
    const mask = c.input(c.tensor("F32", length, length));
    const labels = c.input(c.tensor("F32", vocabulary, tokens));
    const attention = new PackedAttention(c, rows, mask);
    const { logits } = new Transformer(
      c,
      this.config,
      { find: (name) => this.weights.get(name) },
      attention,
      hooks,
    ).build(input);
    const loss = c.output(c.loss(c.crossEntropy(c.output(logits), labels)));
    const graph = new Graph(c, nodes, { gradients: true });
    graph.expand(loss);
    if (gradients) {
      graph.expandBackward();
      for (const tensor of this.weights.values()) c.output(graph.gradient(tensor)!);
    }
    const memory = new GraphMemory(c, backend.plain);
    memory.allocate(graph);
    if (gradients) graph.reset();
    input.tokens.integers().set(Array.from({ length: tokens }, (_, index) => (index * 7 + 3) % vocabulary));
    input.positions.integers().set(Array.from({ length: tokens }, (_, index) => index % length));
    fillCausalMask(mask.floats(), length);
    const target = labels.floats().fill(0);
    for (let index = 0; index < tokens; index++)
      target[index * vocabulary + ((index * 5 + 1) % vocabulary)] = 1;
    backend.compute(graph);
    const result = {
      loss: loss.floats()[0]!,
      logits: logits.floats().slice(),
      gradients: new Map(
        gradients
          ? [...this.weights].map(([name, tensor]) => [name, graph.gradient(tensor)!.floats().slice()])
          : [],
      ),
    };
    memory.free();
    c.free();
    return result;
  }

  free(): void {
    for (const free of this.#free) free();
    this.#fixed.free();
  }
}

const config = llamaConfig({ layers: 2, width: 16, heads: 4, kvHeads: 2 });

describe("a transformer in a packed batch", () => {
  it("has gradients that match finite differences in every weight", () => {
    const bench = new Bench(config);
    const { gradients } = bench.run(true);
    for (const [name, tensor] of bench.weights) {
      const floats = tensor.floats();
      const gradient = gradients.get(name)!;
      // The entry with the greatest slope: the others drown in single precision.
      const at = gradient.reduce(
        (best, value, index) => (Math.abs(value) > Math.abs(gradient[best]!) ? index : best),
        0,
      );
      const step = 4e-3;
      const old = floats[at]!;
      floats[at] = old + step;
      const above = bench.run(false).loss;
      floats[at] = old - step;
      const below = bench.run(false).loss;
      floats[at] = old;
      const slope = (above - below) / (2 * step);
      expect(Math.abs(slope - gradient[at]!), name).toBeLessThan(0.02 * Math.abs(slope) + 2e-4);
    }
    bench.free();
  });

  it("keeps sequences of a batch apart, and the future from the past", () => {
    const bench = new Bench(config);
    const { logits } = bench.run(false);
    const embedding = bench.weights.get("token_embd.weight")!.floats();
    // The last token of the first sequence: ids are (7 i + 3) mod 32.
    const last = (7 * (length - 1) + 3) % vocabulary;
    embedding[last * config.width]! += 1;
    const changed = bench.run(false).logits;
    const row = (all: Float32Array, index: number) => all.slice(index * vocabulary, (index + 1) * vocabulary);
    for (let index = 0; index < tokens; index++) {
      if (index === length - 1) expect(row(changed, index)).not.toEqual(row(logits, index));
      else expect(row(changed, index), `token ${index}`).toEqual(row(logits, index));
    }
    bench.free();
  });

  it("lets hooks see shapes, replace tensors, skip parts and stop early", () => {
    const bench = new Bench(config);
    const plain = bench.run(false);
    const seen: string[] = [];
    bench.run(false, {
      at(point, layer, tensor) {
        seen.push(`${layer} ${point} ${tensor.shape.slice(0, 3).join("x")}`);
        return tensor;
      },
    });
    expect(seen.slice(0, 12)).toEqual([
      "0 layer-input 16x10x1",
      "0 query 4x4x10",
      "0 key 4x2x10",
      "0 value 4x2x10",
      "0 heads 16x10x1",
      "0 attention 16x10x1",
      "0 up 32x10x1",
      "0 gate 32x10x1",
      "0 inner 32x10x1",
      "0 feed-forward 16x10x1",
      "0 layer-output 16x10x1",
      "1 layer-input 16x10x1",
    ]);
    expect(seen.at(-1)).toBe("2 hidden 16x10x1");

    const exit = bench.run(false, { depth: 1 }).logits;
    const skipped = bench.run(false, {
      skipsAttention: (layer) => layer === 1,
      skipsFeedForward: (layer) => layer === 1,
    }).logits;
    expect(exit).toEqual(skipped);
    expect(exit).not.toEqual(plain.logits);
    bench.free();
  });
});
