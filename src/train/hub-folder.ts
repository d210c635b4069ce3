/** A trained model as a folder that transformers and vLLM load: safetensors, config.json, tokenizer.json. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { encodeSafetensors, type SafetensorsTensor } from "../models/safetensors-write.js";
import { type Weights, weightShapes } from "./initial-weights.js";
import {
  defaultNormEpsilon,
  defaultRopeBase,
  type ModelSizes,
  type TrainingSubject,
  type VocabularyRecipe,
} from "./model-recipe.js";

/** Writes the folder's files. Throws `invalid-option` for a pre-tokenizer other than `llama-bpe`. */
export async function writeHubFolder(
  folder: string,
  subject: TrainingSubject,
  weights: Weights,
): Promise<void> {
  const { recipe, vocabulary } = subject;
  const files: Record<string, unknown> = {
    "config.json": config(recipe.sizes, vocabulary),
    "generation_config.json": {
      bos_token_id: vocabulary.beginOfText,
      eos_token_id: vocabulary.endOfText,
      pad_token_id: vocabulary.padding ?? vocabulary.endOfText,
    },
    "tokenizer.json": tokenizer(vocabulary),
    "tokenizer_config.json": tokenizerConfig(recipe.sizes, vocabulary),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.safetensors"), encodeSafetensors(tensors(recipe.sizes, weights)));
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), `${JSON.stringify(content, null, 1)}\n`);
  }
}

function config(sizes: ModelSizes, vocabulary: VocabularyRecipe) {
  const base = sizes.ropeBase ?? defaultRopeBase;
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: sizes.width,
    intermediate_size: sizes.feedForward,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    num_key_value_heads: sizes.kvHeads,
    head_dim: sizes.width / sizes.heads,
    vocab_size: sizes.vocabulary,
    max_position_embeddings: sizes.context,
    rms_norm_eps: sizes.normEpsilon ?? defaultNormEpsilon,
    // The second is transformers 5's way to say the first.
    rope_theta: base,
    rope_parameters: { rope_type: "default", rope_theta: base },
    tie_word_embeddings: sizes.tied ?? false,
    hidden_act: "silu",
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: vocabulary.beginOfText,
    eos_token_id: vocabulary.endOfText,
    pad_token_id: vocabulary.padding ?? vocabulary.endOfText,
    torch_dtype: "float32",
  };
}

/** Names in a transformers file of what a layer holds. */
const layerNames: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};
const otherNames: Readonly<Record<string, string>> = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
};

function tensors(sizes: ModelSizes, weights: Weights): SafetensorsTensor[] {
  const headSize = sizes.width / sizes.heads;
  return [...weightShapes(sizes)].map(([name, shape]) => {
    const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
    const data = weights.get(name)!;
    return {
      name: layer === undefined ? otherNames[name]! : `model.layers.${layer}.${layerNames[part!]}.weight`,
      shape: shape.toReversed(),
      data: part === "attn_q" || part === "attn_k" ? pairsToHalves(data, shape[0]!, headSize) : data,
    };
  });
}

/** GGUF's Llama turns neighbouring rows of a head as a pair, transformers rows that are half a head apart. */
function pairsToHalves(matrix: Float32Array, rowLength: number, headSize: number): Float32Array {
  const moved = new Float32Array(matrix.length);
  for (let row = 0; row < matrix.length / rowLength; row++) {
    const within = row % headSize;
    const place = row - within + (within % 2) * (headSize / 2) + Math.floor(within / 2);
    moved.set(matrix.subarray(row * rowLength, (row + 1) * rowLength), place * rowLength);
  }
  return moved;
}

/** How `llama-bpe` cuts text into pieces; from libllama's table of pre-tokenizers. */
const llamaPieces =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

function tokenizer(vocabulary: VocabularyRecipe) {
  const { tokens, control, merges, addBeginOfText, beginOfText, preTokenizer = "llama-bpe" } = vocabulary;
  if (preTokenizer !== "llama-bpe") {
    throw new StepwrightError("invalid-option", `no tokenizer.json is known for "${preTokenizer}"`, {
      subject: "preTokenizer",
      remedy: "use llama-bpe, or write the GGUF alone",
    });
  }
  const special = new Set(control);
  const begin = { id: tokens[beginOfText]!, ids: [beginOfText], tokens: [tokens[beginOfText]!] };
  const sequence = (id: "A" | "B") => ({ Sequence: { id, type_id: 0 } });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: control.map((id) => ({
      id,
      content: tokens[id]!,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: llamaPieces }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: addBeginOfText
      ? {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: begin.id, type_id: 0 } }, sequence("A")],
          pair: [{ SpecialToken: { id: begin.id, type_id: 0 } }, sequence("A"), sequence("B")],
          special_tokens: { [begin.id]: begin },
        }
      : { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      // A piece that is a token is that token, whatever merges would make of it: as libllama does for llama-bpe.
      ignore_merges: true,
      vocab: Object.fromEntries(tokens.flatMap((token, id) => (special.has(id) ? [] : [[token, id]]))),
      merges: merges ?? [],
    },
  };
}

function tokenizerConfig(sizes: ModelSizes, vocabulary: VocabularyRecipe) {
  const { tokens, beginOfText, endOfText, padding, chatTemplate } = vocabulary;
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: tokens[beginOfText],
    eos_token: tokens[endOfText],
    pad_token: tokens[padding ?? endOfText],
    model_max_length: sizes.context,
    clean_up_tokenization_spaces: false,
    ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
  };
}
