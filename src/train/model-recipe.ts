/** What is trained, on what, and how: everything that fixes a model's weights, bit by bit. */

/** Sizes of a decoder of the Llama family. Matrices train fastest where every size is a multiple of 16. */
export interface ModelSizes {
  readonly layers: number;
  /** Numbers per hidden state. */
  readonly width: number;
  readonly heads: number;
  /** Heads of keys and values; divides `heads`. */
  readonly kvHeads: number;
  /** Inner width of the gated feed-forward layer. */
  readonly feedForward: number;
  /** Longest context that the written model claims, in tokens. */
  readonly context: number;
  /** Tokens of the vocabulary. */
  readonly vocabulary: number;
  /** The token embedding serves as output matrix too; default false. */
  readonly tied?: boolean;
  /** Base of the rotary embedding; default 10000. */
  readonly ropeBase?: number;
  /** Epsilon of the root-mean-square norms; default 1e-5. */
  readonly normEpsilon?: number;
}

export const defaultRopeBase = 10_000;
export const defaultNormEpsilon = 1e-5;

/** Numbers of the optimiser and its schedule: AdamW, linear warm-up, cosine to `finalShare`. */
export interface TrainingPlan {
  /** Tokens of examples to train on in all, prompts included, padding not. */
  readonly tokens: number;
  /** Packed rows per optimiser step. */
  readonly rows: number;
  /** Tokens of a packed row; at least the longest example. Several examples share a row and never see each other. */
  readonly rowLength: number;
  /** Forward and backward passes per optimiser step; `rows` are divided among them. Default 1. */
  readonly accumulate?: number;
  /** Highest learning rate. */
  readonly learningRate: number;
  /** Optimiser steps of linear warm-up; default 100. */
  readonly warmUp?: number;
  /** Share of `learningRate` that the cosine ends at; default 0. */
  readonly finalShare?: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.98. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Decoupled, on matrices and embeddings, never on norms; default 0.05. */
  readonly weightDecay?: number;
  /** Initial weights and nothing else: the order of the examples is the data set's. */
  readonly seed: number;
}

export interface ModelRecipe {
  readonly sizes: ModelSizes;
  readonly plan: TrainingPlan;
  /** `answer`: loss from the example's `lossFrom` on; `all`: on every token after the first. Default `answer`. */
  readonly loss?: "answer" | "all";
}

export interface TrainingExample {
  readonly tokens: readonly number[];
  /** Index of the first token that the model must learn to write; the ones before it are given. */
  readonly lossFrom: number;
  /** For heads: what is true after each token, in [0, 1]; null where nothing is learned. `lossFrom` then means nothing. */
  readonly labels?: readonly (number | null)[];
}

/** The example at an index: 0, 1, 2, ... in the order of training. Must depend on the index alone. */
export type TrainingSet = (index: number) => TrainingExample;

/** The tokenizer that is written into the model: byte-level, whole known words are tokens, other text is bytes. */
export interface VocabularyRecipe {
  /** Text of each token by id, byte-level as in a GGUF (space is Ġ, newline is Ċ). No text twice. */
  readonly tokens: readonly string[];
  /** Ids of control tokens: never made from text. */
  readonly control: readonly number[];
  readonly beginOfText: number;
  readonly endOfText: number;
  /** Default `endOfText`. */
  readonly padding?: number;
  /** Whether a prompt starts with `beginOfText` by itself; default false. */
  readonly addBeginOfText?: boolean;
  /** Pre-tokenizer, as `tokenizer.ggml.pre`; default `llama-bpe`. */
  readonly preTokenizer?: string;
  /** Pairs to merge, best first; default none: a pre-token that is no token falls to bytes. */
  readonly merges?: readonly string[];
  /** Jinja template of a conversation; default none. */
  readonly chatTemplate?: string;
}

/** One model of a family, ready to be trained. */
export interface TrainingSubject {
  /** Its name in the file (`general.name`). */
  readonly name: string;
  readonly recipe: ModelRecipe;
  readonly vocabulary: VocabularyRecipe;
  readonly examples: TrainingSet;
  /** How matrices are stored in the GGUF; default F32. */
  readonly storage?: "F32" | "F16";
}

/** Models by short name (`draft`, `target`), in the order in which `stepwright train` makes them. */
export type ModelFamily = Readonly<Record<string, () => TrainingSubject>>;
