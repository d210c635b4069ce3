/** A trained model as a GGUF file that stock libllama loads: own weights, own tokenizer. */
import { StepwrightError } from "../core/errors.js";
import type { GgufContent, MetadataEntry } from "../models/gguf/write.js";
import { type Weights, weightShapes } from "./initial-weights.js";
import {
  defaultNormEpsilon,
  defaultRopeBase,
  type TrainingSubject,
  type VocabularyRecipe,
} from "./model-recipe.js";

/** GGUF's codes of token types. */
const ordinaryToken = 1;
const controlToken = 3;

/** Throws `invalid-option` for a vocabulary that libllama would refuse or abort on. */
export function ggufModel(subject: TrainingSubject, weights: Weights): GgufContent {
  const { sizes } = subject.recipe;
  checkVocabulary(subject.vocabulary, sizes.vocabulary);
  const count = (key: string, value: number): MetadataEntry => ({ key, type: "uint32", value });
  const real = (key: string, value: number): MetadataEntry => ({ key, type: "float32", value });
  return {
    metadata: [
      { key: "general.architecture", type: "string", value: "llama" },
      { key: "general.name", type: "string", value: subject.name },
      count("llama.context_length", sizes.context),
      count("llama.embedding_length", sizes.width),
      count("llama.block_count", sizes.layers),
      count("llama.feed_forward_length", sizes.feedForward),
      count("llama.attention.head_count", sizes.heads),
      count("llama.attention.head_count_kv", sizes.kvHeads),
      count("llama.rope.dimension_count", sizes.width / sizes.heads),
      real("llama.rope.freq_base", sizes.ropeBase ?? defaultRopeBase),
      real("llama.attention.layer_norm_rms_epsilon", sizes.normEpsilon ?? defaultNormEpsilon),
      count("llama.vocab_size", sizes.vocabulary),
      ...tokenizer(subject.vocabulary),
    ],
    tensors: [...weightShapes(sizes)].map(([name, shape]) => ({
      name,
      shape,
      // ggml multiplies norms in 32 bits only.
      type: shape.length === 1 ? "F32" : (subject.storage ?? "F32"),
      data: weights.get(name)!,
    })),
  };
}

function tokenizer(vocabulary: VocabularyRecipe): MetadataEntry[] {
  const { tokens, beginOfText, endOfText } = vocabulary;
  const control = new Set(vocabulary.control);
  const id = (key: string, value: number): MetadataEntry => ({
    key: `tokenizer.ggml.${key}_token_id`,
    type: "uint32",
    value,
  });
  return [
    { key: "tokenizer.ggml.model", type: "string", value: "gpt2" },
    { key: "tokenizer.ggml.pre", type: "string", value: vocabulary.preTokenizer ?? "llama-bpe" },
    { key: "tokenizer.ggml.tokens", type: "array", of: "string", value: tokens },
    {
      key: "tokenizer.ggml.token_type",
      type: "array",
      of: "int32",
      value: tokens.map((_, token) => (control.has(token) ? controlToken : ordinaryToken)),
    },
    // Even when empty: libllama refuses a file without it.
    { key: "tokenizer.ggml.merges", type: "array", of: "string", value: vocabulary.merges ?? [] },
    id("bos", beginOfText),
    id("eos", endOfText),
    id("padding", vocabulary.padding ?? endOfText),
    { key: "tokenizer.ggml.add_bos_token", type: "bool", value: vocabulary.addBeginOfText ?? false },
    ...(vocabulary.chatTemplate === undefined
      ? []
      : [{ key: "tokenizer.chat_template", type: "string", value: vocabulary.chatTemplate } as const]),
  ];
}

function checkVocabulary(
  { tokens, control, beginOfText, endOfText, padding }: VocabularyRecipe,
  size: number,
): void {
  const invalid = (problem: string) =>
    new StepwrightError("invalid-option", `the vocabulary ${problem}`, { subject: "vocabulary" });
  if (tokens.length !== size) throw invalid(`has ${tokens.length} tokens, the recipe says ${size}`);
  if (new Set(tokens).size !== tokens.length) throw invalid("holds a text twice");
  for (const id of [...control, beginOfText, endOfText, padding ?? endOfText]) {
    if (tokens[id] === undefined) throw invalid(`names token ${id}, which it does not have`);
  }
}
