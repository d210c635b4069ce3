/**
 * Tiny models that stock libllama loads: random ones for plumbing, and ones with known laws for arithmetic by hand.
 * Llama architecture, byte-level tokenizer without merges: a whole known word is one token, any other text is bytes.
 */
import { keyedUniform } from "../core/random.js";
import { encodeGguf, type MetadataEntry, type TensorEntry, writeGguf } from "../models/gguf/write.js";

export interface TinyModelOptions {
  /** Seed of the random weights; default 0. */
  readonly seed?: number;
  readonly layers?: number;
  /** Numbers per hidden state; default 64. */
  readonly width?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly feedForward?: number;
  /** Trained context; default 512. */
  readonly context?: number;
  /** More single-token words, as plain text (" ки", "\n\n\n"); they follow the default ones. */
  readonly words?: readonly string[];
  /** More control tokens ("<extra_0>"); they follow the three default ones. */
  readonly controlTokens?: readonly string[];
  readonly chatTemplate?: string | null;
  /** No output matrix: the token embedding serves as one. */
  readonly tied?: boolean;
  /** Storage of the matrices; norms are always F32. */
  readonly type?: "F32" | "F16";
  /** Weights by tensor name instead of random ones; undefined leaves a tensor as it is. */
  readonly weights?: (name: string, shape: readonly number[]) => Float32Array | undefined;
  /** Tensors that the architecture does not know (libllama itself refuses files with them). */
  readonly extraTensors?: readonly TensorEntry[];
  /** Replaces or adds metadata. */
  readonly metadata?: readonly MetadataEntry[];
}

export const tinyControlTokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] as const;

/** ChatML, the way most small models are asked. */
export const tinyChatTemplate =
  "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

const defaultWords = [
  ...[
    "\n\n",
    ".\n\n",
    " the",
    " is",
    " so",
    " and",
    " a",
    " of",
    " to",
    " coins",
    " step",
    " answer",
    " plus",
  ],
  ...[
    "The",
    "So",
    "Step",
    "user",
    "assistant",
    "system",
    "yes",
    "no",
    " yes",
    " no",
    "Yes",
    "No",
    " Yes",
    " No",
  ],
  ...["10", "12", "20", "25", "37", "42", "62", "100", "good", "bad", " good", " bad"],
];

/** The tokens of a tiny model in the order of their ids: 256 bytes, words, control tokens. */
export function tinyVocabulary(options: TinyModelOptions = {}): string[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byteCharacter(byte));
  const words = [...defaultWords, ...(options.words ?? [])].map(byteLevel);
  // libllama aborts on a vocabulary that holds a text twice.
  return [...new Set([...bytes, ...words, ...tinyControlTokens, ...(options.controlTokens ?? [])])];
}

/** The id of a word or control token of a tiny model; throws when it is not one token. */
export function tinyToken(text: string, options: TinyModelOptions = {}): number {
  const vocabulary = tinyVocabulary(options);
  const control = vocabulary.indexOf(text, 256 + defaultWords.length);
  const id = control >= 0 ? control : vocabulary.indexOf(byteLevel(text));
  if (id < 0) throw new Error(`"${text}" is not one token of the tiny model`);
  return id;
}

export async function writeTinyModel(path: string, options: TinyModelOptions = {}): Promise<void> {
  await writeGguf(path, tinyModelContent(options));
}

export function encodeTinyModel(options: TinyModelOptions = {}): Uint8Array {
  return encodeGguf(tinyModelContent(options));
}

export function tinyModelContent(options: TinyModelOptions = {}): {
  metadata: MetadataEntry[];
  tensors: TensorEntry[];
} {
  const metadata = new Map(tinyMetadata(options).map((entry) => [entry.key, entry]));
  for (const entry of options.metadata ?? []) metadata.set(entry.key, entry);
  return {
    metadata: [...metadata.values()],
    tensors: [...tinyTensors(options), ...(options.extraTensors ?? [])],
  };
}

/**
 * Weights of a model whose next token depends on the current one only: `logit(current, next)` is its logit.
 * Use with `width` at least the vocabulary's length and `tied` false; exact up to 32-bit rounding.
 */
export function bigramWeights(
  vocabularySize: number,
  width: number,
  logit: (current: number, next: number) => number,
): (name: string, shape: readonly number[]) => Float32Array | undefined {
  return (name, shape) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const weights = new Float32Array(length);
    if (name === "token_embd.weight") {
      // One unit vector per token: root-mean-square norm scales it to sqrt(width).
      for (let token = 0; token < vocabularySize; token++) weights[token * width + token] = 1;
      return weights;
    }
    if (name === "output.weight") {
      for (let next = 0; next < vocabularySize; next++) {
        for (let current = 0; current < vocabularySize; current++) {
          weights[next * width + current] = logit(current, next) / Math.sqrt(width);
        }
      }
      return weights;
    }
    // Nothing is added to the residual stream.
    if (name.endsWith("attn_output.weight") || name.endsWith("ffn_down.weight")) return weights;
    return undefined;
  };
}

function tinyShape(options: TinyModelOptions) {
  const width = options.width ?? 64;
  const heads = options.heads ?? 4;
  const layers = options.layers ?? 2;
  return {
    width,
    heads,
    layers,
    kvHeads: options.kvHeads ?? Math.max(1, Math.floor(heads / 2)),
    feedForward: options.feedForward ?? 2 * width,
    context: options.context ?? 512,
    headSize: width / heads,
    vocabulary: tinyVocabulary(options).length,
  };
}

function tinyMetadata(options: TinyModelOptions): MetadataEntry[] {
  const shape = tinyShape(options);
  const tokens = tinyVocabulary(options);
  const firstControl = tokens.indexOf(tinyControlTokens[0]);
  const template = options.chatTemplate === undefined ? tinyChatTemplate : options.chatTemplate;
  const count = (key: string, value: number): MetadataEntry => ({ key, type: "uint32", value });
  return [
    { key: "general.architecture", type: "string", value: "llama" },
    { key: "general.name", type: "string", value: "tiny" },
    count("llama.context_length", shape.context),
    count("llama.embedding_length", shape.width),
    count("llama.block_count", shape.layers),
    count("llama.feed_forward_length", shape.feedForward),
    count("llama.attention.head_count", shape.heads),
    count("llama.attention.head_count_kv", shape.kvHeads),
    count("llama.rope.dimension_count", shape.headSize),
    count("llama.vocab_size", shape.vocabulary),
    { key: "llama.attention.layer_norm_rms_epsilon", type: "float32", value: 1e-6 },
    { key: "tokenizer.ggml.model", type: "string", value: "gpt2" },
    { key: "tokenizer.ggml.pre", type: "string", value: "llama-bpe" },
    { key: "tokenizer.ggml.tokens", type: "array", of: "string", value: tokens },
    {
      key: "tokenizer.ggml.token_type",
      type: "array",
      of: "int32",
      // 1 is an ordinary token, 3 a control token.
      value: tokens.map((_, id) => (id < firstControl ? 1 : 3)),
    },
    // Left out, libllama refuses the file.
    { key: "tokenizer.ggml.merges", type: "array", of: "string", value: [] },
    count("tokenizer.ggml.bos_token_id", firstControl),
    count("tokenizer.ggml.eos_token_id", firstControl + 2),
    count("tokenizer.ggml.padding_token_id", firstControl),
    { key: "tokenizer.ggml.add_bos_token", type: "bool", value: false },
    ...(template === null
      ? []
      : [{ key: "tokenizer.chat_template", type: "string", value: template } as const]),
  ];
}

function tinyTensors(options: TinyModelOptions): TensorEntry[] {
  const { width, layers, feedForward, headSize, kvHeads, vocabulary } = tinyShape(options);
  const kvWidth = headSize * kvHeads;
  const tensors: TensorEntry[] = [];
  const add = (name: string, shape: readonly number[], scale: number) => {
    const given = options.weights?.(name, shape);
    const isNorm = shape.length === 1;
    const data =
      given ??
      (isNorm ? new Float32Array(shape[0]!).fill(1) : randomMatrix(name, shape, scale, options.seed ?? 0));
    tensors.push({ name, shape, type: isNorm ? "F32" : (options.type ?? "F32"), data });
  };
  // Small where it is the output matrix too, else every token predicts itself.
  add("token_embd.weight", [width, vocabulary], options.tied ? 0.3 : 1);
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `blk.${layer}.${part}.weight`;
    const scale = 1 / Math.sqrt(width);
    add(name("attn_norm"), [width], 1);
    add(name("attn_q"), [width, width], scale);
    add(name("attn_k"), [width, kvWidth], scale);
    add(name("attn_v"), [width, kvWidth], scale);
    add(name("attn_output"), [width, width], scale);
    add(name("ffn_norm"), [width], 1);
    add(name("ffn_gate"), [width, feedForward], scale);
    add(name("ffn_up"), [width, feedForward], scale);
    add(name("ffn_down"), [feedForward, width], 1 / Math.sqrt(feedForward));
  }
  add("output_norm.weight", [width], 1);
  // Logits with a deviation of about 3, so that greedy choices are clear and sampled ones vary.
  if (!options.tied) add("output.weight", [width, vocabulary], 3 / Math.sqrt(width));
  return tensors;
}

/** Normal numbers of the given deviation; they depend on the seed and the tensor's name only. */
function randomMatrix(name: string, shape: readonly number[], scale: number, seed: number): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  const weights = new Float32Array(length);
  // One keyed start per tensor, then a plain generator: fast enough for a million weights.
  let state = Math.floor(keyedUniform(seed, name, 0, "weights") * 2 ** 32) >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let index = 0; index < length; index++) {
    weights[index] = scale * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }
  return weights;
}

/** GPT-2's printable stand-in for a byte: itself where printable, else the next free letter from U+0100. */
function byteCharacter(byte: number): string {
  const printable = (value: number) =>
    (value >= 33 && value <= 126) || (value >= 161 && value <= 172) || (value >= 174 && value <= 255);
  if (printable(byte)) return String.fromCharCode(byte);
  let rank = 0;
  for (let value = 0; value < byte; value++) if (!printable(value)) rank += 1;
  return String.fromCharCode(256 + rank);
}

function byteLevel(text: string): string {
  return [...Buffer.from(text)].map(byteCharacter).join("");
}
