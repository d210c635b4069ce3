/** Tiny models of the other families, made from the Llama one: its metadata under their names, and their own tensors. */
import type { GgufContent, MetadataEntry, TensorEntry } from "../models/gguf/write.js";
import { type TinyModelOptions, tinyModelContent } from "./tiny-model.js";

export type TinyFamily = "llama" | "qwen2" | "qwen3" | "smollm3" | "gemma3";

interface FamilyParts {
  /** Settings under the family's own prefix. */
  readonly settings: readonly MetadataEntry[];
  /** Tensors of each layer beside Llama's: length by name. */
  readonly vectors: Readonly<Record<string, number>>;
  readonly options: TinyModelOptions;
}

const width = 64;
const headSize = 16;
const kvWidth = 2 * headSize;
const number = (key: string, value: number): MetadataEntry => ({ key, type: "float32", value });
const count = (key: string, value: number): MetadataEntry => ({ key, type: "uint32", value });

/** Four heads over two key-value heads; positions beyond every window matter from the 8th token on. */
const families: Readonly<Record<TinyFamily, FamilyParts>> = {
  llama: {
    settings: [
      number("rope.freq_base", 5000),
      { key: "rope.scaling.type", type: "string", value: "linear" },
      number("rope.scaling.factor", 2),
    ],
    vectors: {},
    options: {},
  },
  qwen2: {
    settings: [number("rope.freq_base", 1e6)],
    vectors: { "attn_q.bias": width, "attn_k.bias": kvWidth, "attn_v.bias": kvWidth },
    options: { tied: true },
  },
  qwen3: {
    settings: [count("attention.key_length", headSize), count("attention.value_length", headSize)],
    vectors: { "attn_q_norm.weight": headSize, "attn_k_norm.weight": headSize },
    options: {},
  },
  // The fourth layer is not rotated.
  smollm3: { settings: [number("rope.freq_base", 5e6)], vectors: {}, options: { layers: 5, tied: true } },
  gemma3: {
    settings: [
      count("attention.key_length", headSize),
      count("attention.value_length", headSize),
      count("attention.sliding_window", 7),
      number("rope.freq_base", 1e6),
      number("final_logit_softcapping", 20),
    ],
    vectors: {
      "attn_q_norm.weight": headSize,
      "attn_k_norm.weight": headSize,
      "post_attention_norm.weight": width,
      "post_ffw_norm.weight": width,
    },
    // The sixth layer is the first without a window.
    options: { layers: 7, tied: true },
  },
};

export const tinyFamilies = Object.keys(families) as TinyFamily[];

/** A GGUF of that family with random weights, norms and biases too. */
export function tinyFamilyContent(family: TinyFamily, options: TinyModelOptions = {}): GgufContent {
  const { settings, vectors, options: own } = families[family];
  const all = { seed: 11, weights: uneven, ...own, ...options };
  const { metadata, tensors } = tinyModelContent(all);
  const renamed = metadata.map((entry) => ({ ...entry, key: entry.key.replace(/^llama\./, `${family}.`) }));
  return {
    metadata: [
      ...renamed.filter(({ key }) => key !== "general.architecture"),
      { key: "general.architecture", type: "string", value: family },
      ...settings.map((entry) => ({ ...entry, key: `${family}.${entry.key}` })),
    ],
    tensors: [...tensors, ...layerVectors(vectors, all.layers ?? 2)],
  };
}

function layerVectors(vectors: Readonly<Record<string, number>>, layers: number): TensorEntry[] {
  return Array.from({ length: layers }, (_, layer) =>
    Object.entries(vectors).map(([part, length]): TensorEntry => {
      const name = `blk.${layer}.${part}`;
      const data = wave(name, length);
      if (part.endsWith(".bias")) for (let index = 0; index < length; index++) data[index]! -= 1;
      return { name, shape: [length], type: "F32", data };
    }),
  ).flat();
}

/** Norms that are not all ones, so that leaving one out shows. */
function uneven(name: string, shape: readonly number[]): Float32Array | undefined {
  return shape.length === 1 ? wave(name, shape[0]!) : undefined;
}

/** Numbers around 1 that depend on the name. */
function wave(name: string, length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => 1 + 0.5 * Math.sin(index + 7 * name.length));
}
