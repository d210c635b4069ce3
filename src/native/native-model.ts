/**
 * One loaded model with one context, as the scheduler drives it. `llama-native-model.ts` implements it over
 * libllama; tests implement it in plain TypeScript, with faults. All calls but `decode` are short and synchronous.
 */
import { StepwrightError } from "../core/errors.js";

export interface NativeModelInfo {
  readonly description: string;
  /** Special and metadata strings from the GGUF, by key. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly chatTemplate: string | null;
  /** SHA-256 over the tokenizer: every token's text, kind and the tokenizer's own metadata. */
  readonly vocabularyHash: string;
  readonly vocabularySize: number;
  readonly beginToken: number | null;
  readonly addsBegin: boolean;
  readonly endTokens: readonly number[];
  readonly parameters: number;
  readonly bytes: number;
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  readonly kvHeads: number;
  readonly width: number;
  readonly trainedContext: number;
  /** Cells in the KV cache of this context (per stream when not unified). */
  readonly cells: number;
  readonly sequences: number;
  readonly batchTokens: number;
  /** False for recurrent and hybrid models: they cannot drop a partial tail. */
  readonly canTrim: boolean;
}

export interface NativeModelOptions {
  readonly path: string;
  /** KV cells; default: min(the model's trained context, 4096). */
  readonly cells?: number;
  /** Sequence ids, at most 256; default 64. */
  readonly sequences?: number;
  /** Compute threads; default 1. */
  readonly threads?: number;
  /** Greatest number of tokens in one decode, default 512. */
  readonly batchTokens?: number;
  /**
   * Decodes of at most this many tokens run on the calling thread, which they block: spares two thread switches per
   * token where the caller's process has nothing else to do. Default 0: none.
   */
  readonly inlineTokens?: number;
  /** One KV stream per sequence instead of a unified cache: forks copy, and a sequence's cells never mix with others'. */
  readonly separateStreams?: boolean;
  /** Layers on the GPU; default all where a GPU binary is installed, else 0. */
  readonly gpuLayers?: number;
  /**
   * Whether weights may be repacked for this processor, default true. Off, with separate streams, one thread and
   * decodes of at most `invariantBatchTokens` tokens, a token's numbers do not depend on its neighbours in the
   * batch (see `batch-invariance.ts`); long reads are slower.
   */
  readonly repack?: boolean;
}

/** One token of a batch. */
export interface BatchToken {
  readonly token: number;
  readonly position: number;
  /** Sequence ids the token belongs to; several for the shared nodes of a draft tree. */
  readonly sequences: readonly number[];
  /** Whether logits (or the hidden state) are wanted after this token. */
  readonly output: boolean;
  /** What the white box passes in its place: the weighted sum of these tokens' embeddings. */
  readonly blend?: readonly { readonly token: number; readonly weight: number }[];
}

/** 0 done; 1 no room in the KV cache; 2 aborted; negative: failed. libllama's own codes. */
export type DecodeStatus = number;

export interface RowRequest {
  /** Which output of the last decode, counted over its output tokens in batch order. */
  readonly output: number;
  /** Null: no token is drawn. */
  readonly draw: { temperature: number; topK: number; topP: number; minP: number; bits: number } | null;
  /** How many of the most probable tokens are wanted, 0..256. */
  readonly topK: number;
  /** Whose log-probabilities are wanted. */
  readonly tokens: readonly number[];
  readonly row: boolean;
  /** What is asked of the processed law: tempered, then truncated, as a draw's. */
  readonly law?: LawRequest | undefined;
}

export interface LawRequest {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  /** Whose probabilities are wanted. */
  readonly tokens: readonly number[];
  /** For the one token that is drawn from the law without these. */
  readonly bits: number;
}

export interface RowLaw {
  /** One per asked token. */
  readonly probabilities: readonly number[];
  /** Drawn from the law without the asked tokens; -1 where these have all of it. */
  readonly outside: number;
  /** Log-probability of `outside` as everywhere: temperature 1, before truncation. */
  readonly outsideLogprob: number;
}

/** Log-probabilities are natural and at temperature 1, before truncation. */
export interface Row {
  /** False when a logit is NaN or the row has no finite maximum: the other fields then mean nothing. */
  readonly finite: boolean;
  /** The drawn token; -1 if none was asked for. */
  readonly token: number;
  readonly logprob: number;
  readonly entropy: number;
  readonly topK: readonly { readonly token: number; readonly logprob: number }[];
  readonly tokens: readonly number[];
  readonly row: Float32Array | null;
  /** Where the request asked for it. */
  readonly law?: RowLaw;
}

export interface NativeModel {
  readonly info: NativeModelInfo;
  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): number[];
  /** The bytes of one token's text; control tokens give none. */
  piece(token: number): Uint8Array;
  /**
   * Runs the batch off the calling thread. With `hidden`, libllama makes an output of every token, logits and all:
   * such a batch must consist of outputs (`checkHiddenBatch`). On any status but 0 the cache holds what it held before.
   */
  decode(batch: readonly BatchToken[], options?: { hidden?: boolean }): Promise<DecodeStatus>;
  /** Reads rows of the last decode, all vocabulary-long work natively. */
  readRows(requests: readonly RowRequest[]): Row[];
  /** Copy of the final-norm hidden state at an output of the last decode (which asked for `hidden`). */
  readHidden(output: number): Float32Array;
  /** Removes positions [from, to) of a sequence; `to` -1 is the end. False if the model cannot. */
  removeCells(sequence: number, from: number, to: number): boolean;
  /** Lets `to` share all cells of `from` (copies them when streams are separate). */
  shareCells(from: number, to: number): void;
  /** Asks a running decode to stop at its next graph node (status 2). Safe at any time; the next decode starts clear. */
  abort(): void;
  close(): void;
}

/** Throws `internal` where reading hidden states would compute logits that nobody asked for. */
export function checkHiddenBatch(batch: readonly BatchToken[]): void {
  if (batch.every(({ output }) => output)) return;
  throw new StepwrightError("internal", "hidden states are read where every token of the batch is an output");
}
