/**
 * The transformer of all supported families (Llama, SmolLM, Qwen2, Qwen3, Gemma 3, SmolLM3), once, for inference
 * and training: how keys and values are kept and attended to is the caller's. Weights go by their GGUF names; a bias
 * or an additional norm is part of the model if its tensor exists. Shapes are ggml's: the length of a row first.
 */
import { StepwrightError } from "../../core/errors.js";
import type { Tensor } from "../../native/ggml/tensor.js";
import type { TensorContext } from "../../native/ggml/tensor-context.js";
import type { TransformerConfig } from "./config.js";

/** Tensors by GGUF name: `blk.0.attn_q.weight`, `output_norm.weight`, ... */
export interface Weights {
  find(name: string): Tensor | undefined;
}

/** Tokens whose input is a weighted sum of embeddings. */
export interface BlendInputs {
  /** All parts of all of them, I32 [parts]. */
  readonly parts: Tensor;
  /** Weight of each part in each token's input, F32 [parts, tokens]. */
  readonly weights: Tensor;
  /** 0 for a blended token, 1 for any other, F32 [1, tokens]. */
  readonly plain: Tensor;
}

export interface TransformerInputs {
  /** Token ids, I32 [tokens]. */
  readonly tokens: Tensor;
  /** Where each token stands in its text, I32 [tokens]. */
  readonly positions: Tensor;
  /** What some tokens are blended from; absent: each is itself. */
  readonly blend?: BlendInputs | undefined;
  /** Indices of the tokens after which logits are wanted, I32 [outputs]; null: all. */
  readonly outputs: Tensor | null;
}

/** Mixes tokens: the one part that differs between cached inference and training. */
export interface Attention {
  /**
   * q [headSize, heads, tokens], k and v [headSize, kvHeads, tokens], all rotated already -> softmax(scale * q k^T) v
   * over what each token may see, [headSize * heads, tokens].
   */
  attend(layer: number, q: Tensor, k: Tensor, v: Tensor, scale: number): Tensor;
}

/** Places where hooks see, and may replace, what is computed. Shapes for n tokens (in the last layer, outputs). */
export type Point =
  /** Residual stream before a layer, [width, n]. */
  | "layer-input"
  /** Rotated queries (in Gemma scaled too), [headSize, heads, n]. */
  | "query"
  /** Rotated keys, [headSize, kvHeads, n]. */
  | "key"
  /** Values, [headSize, kvHeads, n]. */
  | "value"
  /** What the heads give, [headSize * heads, n]. */
  | "heads"
  /** What attention adds to the residual stream, [width, n]. */
  | "attention"
  /** Gate of the feed-forward part before its activation, [feedForward, n]. */
  | "gate"
  /** What the gate is multiplied with, [feedForward, n]. */
  | "up"
  /** activation(gate) * up, [feedForward, n]. */
  | "inner"
  /** What the feed-forward part adds to the residual stream, [width, n]. */
  | "feed-forward"
  /** Residual stream after a layer, [width, n]. */
  | "layer-output"
  /** After the last norm, [width, outputs]; its layer is the number of layers that ran. */
  | "hidden";

export interface TransformerHooks {
  /** What it returns is used instead of `tensor`. */
  at?(point: Point, layer: number, tensor: Tensor): Tensor;
  skipsAttention?(layer: number): boolean;
  skipsFeedForward?(layer: number): boolean;
  /** How many layers run; the last norm and the output matrix follow. Default: all. */
  readonly depth?: number;
  /** The product of a matrix, e.g. with a low-rank adapter added; `product` is the plain one. */
  adapt?(name: string, input: Tensor, product: Tensor): Tensor;
}

export interface TransformerOutputs {
  /** After the last norm, [width, outputs]. */
  readonly hidden: Tensor;
  /** [vocabulary, outputs]. */
  readonly logits: Tensor;
}

/** Declares the model's operations in a context. Nothing is computed yet; the caller expands its graph with the result. */
export class Transformer {
  readonly #c: TensorContext;
  readonly #config: TransformerConfig;
  readonly #weights: Weights;
  readonly #attention: Attention;
  readonly #hooks: TransformerHooks;

  constructor(
    context: TensorContext,
    config: TransformerConfig,
    weights: Weights,
    attention: Attention,
    hooks: TransformerHooks = {},
  ) {
    this.#c = context;
    this.#config = config;
    this.#weights = weights;
    this.#attention = attention;
    this.#hooks = hooks;
  }

  /** @throws StepwrightError `model-invalid` when a weight is missing */
  build(inputs: TransformerInputs): TransformerOutputs {
    const { embeddingScale } = this.#config;
    const depth = this.#hooks.depth ?? this.#config.layers;
    let x = this.#embed(inputs); // [width, tokens]
    if (embeddingScale !== 1) x = this.#c.scale(x, embeddingScale);
    for (let layer = 0; layer < depth; layer++) {
      // After the last attention only the outputs are needed.
      const outputs = layer === depth - 1 ? inputs.outputs : null;
      x = this.#layer(layer, x, inputs.positions, outputs);
    }
    const hidden = this.#at("hidden", depth, this.#norm("output_norm", x));
    return { hidden, logits: this.#logits(hidden) };
  }

  #embed({ tokens, blend }: TransformerInputs): Tensor {
    const c = this.#c;
    const table = this.#weight("token_embd.weight");
    const plain = c.getRows(table, tokens); // [width, tokens]
    if (!blend) return plain;
    const parts = c.contiguous(c.transpose(c.getRows(table, blend.parts))); // [parts, width]
    return c.add(c.multiply(plain, blend.plain), c.matmul(parts, blend.weights));
  }

  /** x [width, tokens] -> [width, tokens], or [width, outputs]. */
  #layer(layer: number, input: Tensor, positions: Tensor, outputs: Tensor | null): Tensor {
    const c = this.#c;
    const name = (part: string) => `blk.${layer}.${part}`;
    let x = this.#at("layer-input", layer, input);

    let attended: Tensor | null = null;
    if (!this.#hooks.skipsAttention?.(layer)) {
      attended = this.#attend(layer, this.#norm(name("attn_norm"), x), positions);
      attended = this.#linear(name("attn_output"), attended);
    }
    if (outputs) {
      x = c.getRows(x, outputs);
      if (attended) attended = c.getRows(attended, outputs);
    }
    if (attended) {
      attended = this.#normIfAny(name("post_attention_norm"), attended);
      x = c.add(this.#at("attention", layer, attended), x);
    }
    if (!this.#hooks.skipsFeedForward?.(layer)) {
      const added = this.#feedForward(layer, this.#norm(name("ffn_norm"), x));
      x = c.add(this.#at("feed-forward", layer, this.#normIfAny(name("post_ffw_norm"), added)), x);
    }
    return this.#at("layer-output", layer, x);
  }

  /** [width, tokens] -> [headSize * heads, tokens]. */
  #attend(layer: number, x: Tensor, positions: Tensor): Tensor {
    const { headSize, heads, kvHeads, attentionScale, scalesQueries } = this.#config;
    const name = (part: string) => `blk.${layer}.${part}`;
    const tokens = x.shape[1];
    const split = (part: string, count: number) =>
      this.#c.reshape(this.#linear(name(part), x), headSize, count, tokens);

    const q = this.#turn(layer, this.#normIfAny(name("attn_q_norm"), split("attn_q", heads)), positions);
    const k = this.#turn(layer, this.#normIfAny(name("attn_k_norm"), split("attn_k", kvHeads)), positions);
    const v = split("attn_v", kvHeads);
    const query = this.#at("query", layer, scalesQueries ? this.#c.scale(q, attentionScale) : q);
    const given = this.#attention.attend(
      layer,
      query,
      this.#at("key", layer, k),
      this.#at("value", layer, v),
      scalesQueries ? 1 : attentionScale,
    );
    return this.#at("heads", layer, given);
  }

  /** Rotates [headSize, any heads, tokens] by the tokens' positions. */
  #turn(layer: number, x: Tensor, positions: Tensor): Tensor {
    const { rope, unrotatedEvery, window } = this.#config;
    if (unrotatedEvery > 0 && (layer + 1) % unrotatedEvery === 0) return x;
    const windowed = window?.layers[layer] ?? false;
    return this.#c.rotate(x, {
      positions,
      // Llama 3 states a factor per frequency; windowed layers have a rotation of their own.
      factors: this.#weights.find("rope_freqs.weight") ?? null,
      dimensions: rope.dimensions,
      halves: rope.pairs === "halves",
      base: windowed ? window!.base : rope.base,
      scale: windowed ? 1 : rope.scale,
    });
  }

  /** [width, n] -> [width, n]. */
  #feedForward(layer: number, x: Tensor): Tensor {
    const name = (part: string) => `blk.${layer}.${part}`;
    const up = this.#at("up", layer, this.#linear(name("ffn_up"), x)); // [feedForward, n]
    const gate = this.#at("gate", layer, this.#linear(name("ffn_gate"), x));
    const inner = this.#config.activation === "silu" ? this.#c.swiglu(gate, up) : this.#c.geglu(gate, up);
    return this.#linear(name("ffn_down"), this.#at("inner", layer, inner));
  }

  /** [width, outputs] -> [vocabulary, outputs]. A model without an output matrix uses its token embedding. */
  #logits(hidden: Tensor): Tensor {
    const c = this.#c;
    const { logitCap } = this.#config;
    const tied = this.#weights.find("output.weight") === undefined;
    let logits = this.#linear(tied ? "token_embd" : "output", hidden);
    if (logitCap !== null) logits = c.scale(c.tanh(c.scale(logits, 1 / logitCap)), logitCap);
    return logits;
  }

  #linear(name: string, x: Tensor): Tensor {
    let product = this.#c.matmul(this.#weight(`${name}.weight`), x);
    product = this.#hooks.adapt?.(name, x, product) ?? product;
    const bias = this.#weights.find(`${name}.bias`);
    return bias ? this.#c.add(product, bias) : product;
  }

  #norm(name: string, x: Tensor): Tensor {
    return this.#c.multiply(this.#c.rmsNorm(x, this.#config.normEpsilon), this.#weight(`${name}.weight`));
  }

  #normIfAny(name: string, x: Tensor): Tensor {
    return this.#weights.find(`${name}.weight`) ? this.#norm(name, x) : x;
  }

  #at(point: Point, layer: number, tensor: Tensor): Tensor {
    return this.#hooks.at?.(point, layer, tensor) ?? tensor;
  }

  #weight(name: string): Tensor {
    const tensor = this.#weights.find(name);
    if (tensor) return tensor;
    throw new StepwrightError("model-invalid", `the model has no tensor "${name}"`);
  }
}

/** How many graph nodes a forward pass takes at most, whatever is hooked in. */
export function forwardNodes(layers: number, perLayer = 0): number {
  return 64 + layers * (64 + perLayer);
}
