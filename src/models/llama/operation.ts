/** What a branch is asked to do, and how far it has got. */
import type { GrowingStates } from "../../core/growing-states.js";
import type { GrowingStep } from "../../core/growing-step.js";
import type { Sampling, TreeRow, TreeToken } from "../../core/model.js";
import type { Splitter } from "../../core/step.js";
import type { Row } from "../../native/native-model.js";
import type { HeldTree } from "./held-tree.js";
import type { AppendAnswer, EngineUsage, ExtendAnswer, TreeAnswer, Want } from "./protocol.js";

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
  /** Drafted tokens that are read beside it, until one of them is kept or the next call drops them. */
  tree: HeldTree | null;
  /** The opened branch it descends from by forks. */
  readonly family: number;
  /** Tokens it was opened with: what is worth keeping for the next question when it is dropped. */
  readonly opened: number;
  readonly queue: Operation[];
  lastUsed: number;
  /** Passes made on its behalf that no answer has reported yet (a fork of a prefix that had to be read first). */
  debt: EngineUsage;
}

/** `wait` heads the queue of a fork until its parent has got to it. `keep`, `trim` and `drop` need no decode. */
export type Operation =
  | Append
  | Extend
  | ReadTree
  | { readonly kind: "keep"; readonly node: number }
  | { readonly kind: "fork"; readonly child: BranchState }
  | { readonly kind: "wait" }
  | { readonly kind: "trim"; readonly length: number }
  | { readonly kind: "drop" };

export type BranchCall = Append | Extend | ReadTree;

export function isCall(operation: Operation): operation is BranchCall {
  return operation.kind === "append" || operation.kind === "extend" || operation.kind === "tree";
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
    entropies: number[];
    states: GrowingStates;
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
  readonly states: boolean;
  readonly onText: ((text: string) => void) | null;
  progress?: { start: number; usage: EngineUsage; written: GrowingStep; states: GrowingStates };
}

export interface ReadTree extends Settle<TreeAnswer> {
  readonly kind: "tree";
  readonly call: number;
  readonly nodes: readonly TreeToken[];
  readonly sampling: Sampling;
  readonly key: string;
  /** For each row the tokens whose probabilities are wanted. */
  readonly ask: readonly (readonly number[])[];
  readonly topK: number;
  readonly hidden: boolean;
  /** Rows by their number in the tree; some are missing until all is passed. */
  progress?: { usage: EngineUsage; rows: TreeRow[] };
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
