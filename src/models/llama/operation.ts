/** What a branch is asked to do, and how far it has got. */
import type { GrowingStep } from "../../core/growing-step.js";
import type { Sampling } from "../../core/model.js";
import type { Splitter } from "../../core/step.js";
import type { Row } from "../../native/native-model.js";
import type { AppendAnswer, EngineUsage, ExtendAnswer, Want } from "./protocol.js";

export interface BranchState {
  readonly id: number;
  /** What the branch holds, whether in the cache or not. */
  tokens: number[];
  /** How many leading tokens are in the cache; the rest is pending. */
  cached: number;
  /** Most tokens ever cached: passing them again is recomputation. */
  everCached: number;
  /** Sequence id of its cells, or -1. */
  sequence: number;
  /** The opened branch it descends from by forks. */
  readonly family: number;
  /** Tokens it was opened with: what is worth keeping for the next question when it is dropped. */
  readonly opened: number;
  readonly queue: Operation[];
  lastUsed: number;
  /** Passes made on its behalf that no answer has reported yet (a fork of a prefix that had to be read first). */
  debt: EngineUsage;
}

/** `wait` heads the queue of a fork until its parent has got to it. `trim` and `drop` need no decode. */
export type Operation =
  | Append
  | Extend
  | { readonly kind: "fork"; readonly child: BranchState }
  | { readonly kind: "wait" }
  | { readonly kind: "trim"; readonly length: number }
  | { readonly kind: "drop" };

export function isCall(operation: Operation): operation is Append | Extend {
  return operation.kind === "append" || operation.kind === "extend";
}

export interface Settle<Answer> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface Append extends Settle<AppendAnswer> {
  readonly kind: "append";
  readonly call: number;
  readonly passage: readonly number[];
  readonly want: Want | null;
  /** Set when it becomes the branch's current operation. */
  progress?: {
    start: number;
    usage: EngineUsage;
    logprobs: number[];
    row: Row | null;
    hidden: Float32Array | null;
  };
}

export interface Extend extends Settle<ExtendAnswer> {
  readonly kind: "extend";
  readonly call: number;
  readonly splitter: Splitter;
  readonly maxTokens: number;
  readonly sampling: Sampling;
  readonly key: string;
  readonly onText: ((text: string) => void) | null;
  progress?: { start: number; usage: EngineUsage; written: GrowingStep };
}

export const noEngineUsage: EngineUsage = {
  prefillTokens: 0,
  recomputedTokens: 0,
  decodeTokens: 0,
  seconds: 0,
  weightReads: 0,
  passes: 0,
  positions: 0,
};
