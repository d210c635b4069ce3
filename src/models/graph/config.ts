/** What a transformer of the supported families is made of, as plain numbers: from a GGUF header, or written by hand. */
import { StepwrightError } from "../../core/errors.js";
import type { ModelFacts } from "../gguf/check.js";

export interface TransformerConfig {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly normEpsilon: number;
  /** Rotary position embedding. */
  readonly rope: {
    readonly base: number;
    /** Positions are multiplied by it; 1 but for files with linear position scaling. */
    readonly scale: number;
    /** Leading numbers of each head that are turned. */
    readonly dimensions: number;
    /** Whether turned pairs are neighbours (Llama) or half a head apart (NeoX). */
    readonly pairs: "neighbours" | "halves";
  };
  /** Every so many-th layer is not rotated (SmolLM3: 4); 0 is never. */
  readonly unrotatedEvery: number;
  /** Layers that see only the last `size` positions, with a rotation of their own (Gemma 3). */
  readonly window: {
    readonly size: number;
    readonly base: number;
    /** One entry per layer. */
    readonly layers: readonly boolean[];
  } | null;
  /** Factor on query times key. */
  readonly attentionScale: number;
  /** Whether queries are scaled before their product with keys (Gemma): in 16 bits that rounds differently. */
  readonly scalesQueries: boolean;
  /** Factor on token embeddings (Gemma: the root of the width). */
  readonly embeddingScale: number;
  readonly activation: "silu" | "gelu";
  /** Logits are squeezed into (-cap, cap) by tanh; null is off. */
  readonly logitCap: number | null;
}

/** What differs between families and is not said in a file. Biases and additional norms are there if their tensors are. */
interface Family {
  readonly pairs: "neighbours" | "halves";
  readonly activation?: "gelu";
  readonly scalesEmbedding?: boolean;
  readonly scalesQueries?: boolean;
  readonly unrotatedEvery?: number;
  /** Of so many layers the last one is not windowed, where the file does not say. */
  readonly windowPeriod?: number;
}

/** From libllama's model definitions, v0.5.0. */
const families: Readonly<Record<string, Family>> = {
  llama: { pairs: "neighbours" },
  qwen2: { pairs: "halves" },
  qwen3: { pairs: "halves" },
  smollm3: { pairs: "neighbours", unrotatedEvery: 4 },
  gemma3: {
    pairs: "halves",
    activation: "gelu",
    scalesEmbedding: true,
    scalesQueries: true,
    windowPeriod: 6,
  },
};

/** The architectures that `configOf` knows, by their names in GGUF files. */
export const knownArchitectures: readonly string[] = Object.keys(families);

/** Base of rotary embeddings where a file does not say. */
const usualBase = 10_000;

/** A config of the Llama family by its sizes alone: what training starts from. */
export function llamaConfig(
  sizes: Pick<TransformerConfig, "layers" | "width" | "heads"> & Partial<TransformerConfig>,
): TransformerConfig {
  const headSize = sizes.headSize ?? sizes.width / sizes.heads;
  return {
    kvHeads: sizes.heads,
    headSize,
    normEpsilon: 1e-5,
    rope: { base: usualBase, scale: 1, dimensions: headSize, pairs: "neighbours" },
    unrotatedEvery: 0,
    window: null,
    attentionScale: 1 / Math.sqrt(headSize),
    scalesQueries: false,
    embeddingScale: 1,
    activation: "silu",
    logitCap: null,
    ...sizes,
  };
}

/**
 * The config of a checked model file.
 * @throws StepwrightError `model-invalid` for another family, mixtures of experts and context extensions other than
 * linear ones: they run on the black box
 */
export function configOf(facts: ModelFacts, name: string): TransformerConfig {
  const { architecture, metadata, width } = facts;
  const family = families[architecture];
  if (!family) throw unsupported(name, `the architecture "${architecture}"`);
  const key = (rest: string) => `${architecture}.${rest}`;
  if ((metadata.integer(key("expert_count")) ?? 0) > 0) throw unsupported(name, "mixtures of experts");

  const { layers } = facts.size;
  const heads = same(metadata.perLayer(key("attention.head_count"), layers), name);
  const kvHeads = same(metadata.perLayer(key("attention.head_count_kv"), layers) ?? [heads], name);
  const headSize = metadata.integer(key("attention.key_length")) ?? width / heads;
  if ((metadata.integer(key("attention.value_length")) ?? headSize) !== headSize) {
    throw unsupported(name, "values of another size than keys");
  }
  const base = metadata.number(key("rope.freq_base")) ?? usualBase;
  return {
    layers,
    width,
    heads,
    kvHeads,
    headSize,
    normEpsilon: metadata.number(key("attention.layer_norm_rms_epsilon")) ?? 1e-5,
    rope: {
      base,
      scale: ropeScale(facts, name),
      dimensions: metadata.integer(key("rope.dimension_count")) ?? headSize,
      pairs: family.pairs,
    },
    unrotatedEvery: family.unrotatedEvery ?? 0,
    window: family.windowPeriod === undefined ? null : windowOf(facts, layers, family.windowPeriod),
    attentionScale: attentionScale(facts, layers, width, heads, headSize),
    scalesQueries: family.scalesQueries ?? false,
    embeddingScale: family.scalesEmbedding ? Math.sqrt(width) : 1,
    activation: family.activation ?? "silu",
    logitCap: metadata.number(key("final_logit_softcapping")) || null,
  };
}

function ropeScale({ architecture, metadata }: ModelFacts, name: string): number {
  const type = metadata.text(`${architecture}.rope.scaling.type`) ?? "linear";
  if (type === "none") return 1;
  if (type !== "linear") throw unsupported(name, `position scaling of type "${type}"`);
  const factor =
    metadata.number(`${architecture}.rope.scaling.factor`) ??
    metadata.number(`${architecture}.rope.scale_linear`) ??
    0;
  return factor === 0 ? 1 : 1 / factor;
}

function windowOf({ architecture, metadata }: ModelFacts, layers: number, usualPeriod: number) {
  const size = metadata.integer(`${architecture}.attention.sliding_window`) ?? 0;
  if (size <= 0) return null;
  const key = `${architecture}.attention.sliding_window_pattern`;
  const entry = metadata.values.get(key);
  const listed = entry?.type === "array" ? metadata.perLayer(key, layers) : undefined;
  const period = listed ? 0 : (metadata.integer(key) ?? usualPeriod);
  return {
    size,
    base: metadata.number(`${architecture}.rope.freq_base_swa`) ?? usualBase,
    layers: Array.from({ length: layers }, (_, layer) =>
      listed ? listed[layer] !== 0 : period > 0 && layer % period < period - 1,
    ),
  };
}

/** Gemma 3 27B alone divides by the width per head instead of the head's size; libllama knows it by its layers. */
const layersOfGemma27B = 62;

function attentionScale(
  { architecture, metadata }: ModelFacts,
  layers: number,
  width: number,
  heads: number,
  headSize: number,
): number {
  const stated = metadata.number(`${architecture}.attention.scale`) ?? 0;
  if (stated !== 0) return stated;
  const byWidth = families[architecture]?.windowPeriod !== undefined && layers === layersOfGemma27B;
  return 1 / Math.sqrt(byWidth ? width / heads : headSize);
}

function same(values: readonly number[] | undefined, name: string): number {
  const first = values?.[0] ?? 0;
  if (first === 0 || values!.some((value) => value !== first)) {
    throw unsupported(name, "another number of attention heads in each layer");
  }
  return first;
}

function unsupported(name: string, what: string): StepwrightError {
  return new StepwrightError("model-invalid", `the white box does not support ${what}`, {
    subject: name,
    remedy: `open the file as it is, without "graph:"; the white box knows ${knownArchitectures.join(", ")}`,
  });
}
