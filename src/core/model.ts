/**
 * A model and its KV tree, as the rest of the program sees them. A model never knows a method.
 * Back ends: `src/models` (llama, graph, remote, scripted, recorded).
 */
import type { Passage, Splitter, StepStates, StopReason, Token } from "./step.js";

/**
 * What a back end offers beyond being asked for text:
 * `logits` next-token rows, and with them what some servers offer alone: `logprobs` (of each token written), `candidates`
 * (the most probable next tokens, and named ones as far as they are among them) and `likelihood` (of the tokens of a
 * passage); `branch` cheap forks with rollback; `hidden` final-norm states; `pooling` what the model's own head makes of
 * them; `graph` white box; `tree` trees of drafted tokens read in one pass.
 */
export type Capability =
  | "text"
  | "logits"
  | "logprobs"
  | "candidates"
  | "likelihood"
  | "branch"
  | "hidden"
  | "pooling"
  | "graph"
  | "tree";

const fromLogits: readonly Capability[] = ["logprobs", "candidates", "likelihood"];

/** True if a model can do it, by that name or by a stronger one. */
export function offers({ capabilities }: Pick<Model, "capabilities">, capability: Capability): boolean {
  return capabilities.has(capability) || (fromLogits.includes(capability) && capabilities.has("logits"));
}

/** The figures that FLOPs and memory estimates need. */
export interface ModelSize {
  /** All parameters. */
  readonly parameters: number;
  /** Parameters that a token's pass multiplies: every matrix with the output matrix, without the input embedding. */
  readonly multiplied: number;
  readonly layers: number;
  /** Attention heads times head size. */
  readonly attentionWidth: number;
  readonly vocabulary: number;
  /** Greatest number of tokens in one sequence. */
  readonly context: number;
  /** Bytes of weights. */
  readonly bytes: number;
}

/**
 * FLOPs of one token's forward pass at position t (0-based):
 * 2 x multiplied + 4 x layers x t x attention width. DESIGN section 6.
 */
export function tokenFlops(size: ModelSize, position: number): number {
  return 2 * size.multiplied + 4 * size.layers * position * size.attentionWidth;
}

/** FLOPs of the tokens at positions start .. start + count - 1. */
export function spanFlops(size: ModelSize, start: number, count: number): number {
  const positions = count * start + (count * (count - 1)) / 2;
  return 2 * size.multiplied * count + 4 * size.layers * size.attentionWidth * positions;
}

/** How many of `most` tokens from a position on can be passed for so many FLOPs. */
export function tokensWithin(size: ModelSize, position: number, flops: number, most: number): number {
  if (spanFlops(size, position, most) <= flops) return most;
  let [fits, tooMany] = [0, most];
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (spanFlops(size, position, middle) <= flops) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/**
 * What one call on a branch cost. Back ends report it; nobody else can know what was recomputed or shared.
 */
export interface Usage {
  /** Tokens read in (their ids were given), shared prefixes not counted again. */
  readonly prefillTokens: number;
  /** Of these, tokens that were in the cache before and had to be read again after an eviction. */
  readonly recomputedTokens: number;
  /** Tokens written, the one that ended the step included. */
  readonly decodeTokens: number;
  readonly flops: number;
  /** Share of the engine's busy seconds: a batch's time is divided over its tokens. */
  readonly seconds: number;
  /** How often the weights were read for it, a pass divided over its tokens. Absent where the back end cannot know. */
  readonly weightReads?: number;
}

/** What token-level speculation did in a call. Drafted tokens are accepted or rejected, nothing else. */
export interface SpeculationUsage {
  /** Blocks verified. */
  readonly blocks: number;
  readonly drafted: number;
  readonly accepted: number;
  /** What the draft model's passes cost, in its own tokens; absent for tables. */
  readonly draft?: Usage;
}

/** Names and options of a drafter, a rule and a controller, and whose weights draft. */
export interface SpeculationIdentity {
  readonly drafter: NamedOptions;
  readonly rule: NamedOptions;
  readonly controller: NamedOptions;
  /** Fingerprint of the draft model, where there is one. */
  readonly draft?: string;
}

export interface NamedOptions {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export const noUsage: Usage = {
  prefillTokens: 0,
  recomputedTokens: 0,
  decodeTokens: 0,
  flops: 0,
  seconds: 0,
};

/** The sum of two costs, field by field; a field that only one has is that one's. */
export function addUsage<Cost extends { readonly [Field in keyof Cost]: number }>(a: Cost, b: Cost): Cost {
  const fields = Object.keys({ ...a, ...b }) as (keyof Cost)[];
  return Object.fromEntries(fields.map((field) => [field, (a[field] ?? 0) + (b[field] ?? 0)])) as Cost;
}

/** Passes made for someone else's tokens: they wrote none of a step, so all of them have read. */
export function asReading({ prefillTokens, decodeTokens, ...usage }: Usage): Usage {
  return { ...usage, prefillTokens: prefillTokens + decodeTokens, decodeTokens: 0 };
}

/** All that a piece of writing cost, the drafting of its tokens included, for callers that keep one account. */
export function wholeUsage({ usage, speculation }: Pick<Extension, "usage" | "speculation">): Usage {
  return speculation?.draft ? addUsage(usage, asReading(speculation.draft)) : usage;
}

export interface Sampling {
  /** 0 is greedy. Applied first, as vLLM does; then top-k, top-p, min-p on the tempered law. */
  readonly temperature: number;
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  /** 0 is off. */
  readonly minP: number;
  readonly seed: number;
}

export const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface ExtendOptions extends CallOptions {
  readonly splitter: Splitter;
  readonly maxTokens: number;
  readonly sampling: Sampling;
  /** Names the stream of random numbers: draws depend on (seed, key, position, "sample") only. */
  readonly key: string;
  /** What may well come next (the draft's own rejected step): a speculating model drafts from it, others ignore it. */
  readonly hints?: readonly Passage[] | undefined;
  /** Most FLOPs that drafting may bring the call to, all its passes counted. Absent: no limit. */
  readonly flops?: number | undefined;
  /** Hidden states over what is written. Needs `hidden`; a back end may leave them out where they cost extra passes. */
  readonly states?: boolean | undefined;
  /** Called with pieces of text as they are written; a piece never ends inside a character. */
  readonly onText?: ((text: string) => void) | undefined;
}

export interface Extension extends Passage {
  readonly stop: StopReason;
  readonly logprobs: readonly number[];
  readonly entropies: readonly number[];
  readonly usage: Usage;
  readonly states?: StepStates;
  /** Of token-level speculation; absent where nothing was drafted. */
  readonly speculation?: SpeculationUsage;
}

/** One candidate next token, with its natural-log probability at temperature 1. */
export interface Candidate {
  readonly token: Token;
  readonly logprob: number;
}

/** A share of a blended input. */
export interface BlendPart {
  readonly token: Token;
  readonly weight: number;
}

export interface ReadOptions extends CallOptions {
  /** The k most probable next tokens after the passage, best first, and the law's entropy. Needs `candidates`. At most 256. */
  readonly topK?: number;
  /** Log-probabilities of these next tokens, -Infinity for one that is not told. Needs `candidates`. */
  readonly tokens?: readonly Token[];
  /** Log-probability of each token of the passage itself, given what is before it. Needs `likelihood`. */
  readonly logprobs?: boolean;
  /** Hidden states over the passage, taken where its log-probabilities are read; only together with `logprobs`. Needs `hidden`. */
  readonly states?: boolean;
  /** The final-norm hidden state at the passage's last token; of a model with `pooling`, its head's output there. */
  readonly hidden?: boolean;
  /** The whole log-probability row after the passage, vocabulary long. Needs `logits`; costs a copy of the row. */
  readonly row?: boolean;
  /**
   * What is passed in place of the passage's last token: the weighted sum of these tokens' embeddings. The branch's ids
   * name that last token all the same, and it is what is passed after an eviction: good for guesses only. Needs `graph`,
   * and something to read off.
   */
  readonly blend?: readonly BlendPart[];
}

export interface Reading {
  readonly topK?: readonly Candidate[];
  /** Of the next-token law at temperature 1, in nats; given with `topK`. */
  readonly entropy?: number;
  /** One per asked token, in their order. */
  readonly tokens?: readonly number[];
  /** One per token of the passage. */
  readonly logprobs?: readonly number[];
  /** Of the laws that `logprobs` are read off, in nats; absent where a back end would need more passes for them. */
  readonly entropies?: readonly number[];
  readonly states?: StepStates;
  readonly hidden?: Float32Array;
  readonly row?: Float32Array;
  readonly usage: Usage;
}

/** One drafted token of a tree that is read beside a branch; parents come before their children. */
export interface TreeToken {
  readonly token: Token;
  /** Index of its parent in the list; -1 hangs on the branch's end. */
  readonly parent: number;
}

export interface ReadTreeOptions extends CallOptions {
  /** The request's own processing: the law that is asked about is tempered and truncated by it. */
  readonly sampling: Sampling;
  /** Names the stream of random numbers, as in `ExtendOptions`. */
  readonly key: string;
  /** Whose probabilities are wanted: first after the branch's end, then after each node. At most 256 tokens each. */
  readonly ask: readonly (readonly Token[])[];
  /** The k most probable next tokens of every row, best first. At most 256. */
  readonly topK?: number;
  /** The final-norm hidden state of every row. Needs `hidden`. */
  readonly hidden?: boolean;
}

/**
 * The law of the next token at one place of a tree, told by what a verifier needs of it: no row crosses to JavaScript.
 * `p` is the processed law (temperature, top-k, top-p, min-p); log-probabilities are natural, at temperature 1.
 */
export interface TreeRow {
  /** The token that `extend` would write here with the same sampling and key. */
  readonly draw: Candidate;
  /** p of each asked token, in their order. */
  readonly probabilities: readonly number[];
  /** Log-probability of each asked token. */
  readonly logprobs: readonly number[];
  /** One token drawn from p without the asked ones, renormalised; null where these have all of p. */
  readonly outside: Candidate | null;
  /** Of the law at temperature 1, in nats. */
  readonly entropy: number;
  readonly topK?: readonly Candidate[];
  readonly hidden?: Float32Array;
}

export interface TreeReading {
  /** After the branch's end, then after each node. */
  readonly rows: readonly TreeRow[];
  /** What the pass cost, all of it as reading. */
  readonly usage: Usage;
}

/**
 * A node of a model's KV tree. Calls on one branch are served in the order they were made. A branch whose
 * cells were taken for others reads its tokens again when it is next used; callers only see the cost of it.
 */
export interface Branch extends AsyncDisposable {
  readonly model: Model;
  /** Tokens in the branch after the calls answered so far and the rollbacks made since. */
  readonly length: number;
  /** A second branch with the same prefix: shares its cells, copies nothing. */
  fork(): Branch;
  /** Reads a passage in (prefill). Asking for no reading computes no logits. */
  append(passage: Passage | string, options?: ReadOptions): Promise<Reading>;
  /**
   * Writes until the splitter, an end-of-text token or the cap. The written tokens stay in the branch. When the signal
   * fires under way it resolves with what was written so far, stop `cut`, and what that cost; before it has begun, it
   * rejects with `aborted`.
   */
  extend(options: ExtendOptions): Promise<Extension>;
  /**
   * Reads a tree of drafted tokens in one pass, beside the branch: its tokens do not become the branch's, until `keep`
   * says which. The next call on the branch drops what was not kept. Needs `tree`.
   */
  readTree?(tree: readonly TreeToken[], options: ReadTreeOptions): Promise<TreeReading>;
  /** Makes the path to a node of the tree last read part of the branch, in the cache as it is; -1 keeps nothing. */
  keep?(node: number): void;
  /** Rolls back to the first `length` tokens. */
  trim(length: number): void;
  /** Frees the branch; its cells too, where no other branch shares them. Safe to call twice. */
  drop(): void;
}

export interface OpenOptions extends CallOptions {
  /** Where text rendered from the model's own chat template may name special tokens. Default: false, all is text. */
  readonly special?: boolean;
}

export interface Model extends AsyncDisposable {
  readonly name: string;
  /** Identity of the weights: equal for equal files. */
  readonly fingerprint: string;
  /** Identity of the tokenizer: models with the same value give the same ids the same meaning. */
  readonly vocabulary: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly size: ModelSize;
  /** The tokens that end an answer. Needed by what forces tokens; absent where a back end does not tell. */
  readonly endTokens?: ReadonlySet<Token>;
  /** Greatest tree that one pass can read. Comes with `tree`; absent where nothing but the context limits it. */
  readonly treeLimits?: { readonly nodes: number; readonly leaves: number };
  /** What drafts for it and how drafts are tested, where something does: part of a run's identity. */
  readonly speculation?: SpeculationIdentity;
  tokenize(text: string, options?: { special?: boolean }): Promise<Token[]>;
  /** The bytes that each token stands for; none for control tokens. Comes with `tree`. */
  tokenBytes?(tokens: readonly Token[]): Promise<Uint8Array[]>;
  detokenize(tokens: readonly Token[]): Promise<string>;
  /**
   * A conversation in the model's own chat template, open for the assistant to write; message contents cannot
   * forge roles. A model without a template falls back to a plain "role: content" form.
   */
  renderChat(messages: readonly ChatMessage[], options?: CallOptions): Promise<Passage>;
  /** A new branch holding `prefix` (read when first needed, or shared with a branch that already holds it). */
  open(prefix: Passage | string, options?: OpenOptions): Promise<Branch>;
}

/** Ids where the two vocabularies agree, else the text: how a passage crosses from one model to another. */
export function handOver(
  passage: Passage | string,
  model: Pick<Model, "vocabulary">,
): string | readonly Token[] {
  if (typeof passage === "string") return passage;
  return passage.vocabulary === model.vocabulary ? passage.tokens : passage.text;
}
