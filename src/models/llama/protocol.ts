/** What the program and the engine's process say to each other. Plain data over the IPC channel, many messages in one packet. */
import type { ErrorData } from "../../core/errors.js";
import type { BlendPart, Sampling, TreeRow, TreeToken, Usage } from "../../core/model.js";
import type { Splitter, StepStates, StopReason } from "../../core/step.js";
import type { NativeModelInfo, NativeModelOptions } from "../../native/native-model.js";

/** What is read off after a passage; see `ReadOptions`. */
export interface Want {
  readonly topK: number;
  readonly tokens: readonly number[];
  readonly logprobs: boolean;
  readonly states: boolean;
  readonly hidden: boolean;
  readonly row: boolean;
  /** See `ReadOptions`. */
  readonly blend?: readonly BlendPart[];
}

/** Ids, or text that the engine reads as plain text: no special token is recognised in it. */
export type Input = readonly number[] | string;

/** Calls that are answered: each has a `call` number, unique within the channel. */
export type Call =
  | {
      readonly type: "load";
      readonly model: number;
      readonly options: NativeModelOptions;
      readonly exact: boolean;
      readonly whiteBox: boolean;
      readonly keptPrompts: number;
    }
  | { readonly type: "close"; readonly model: number }
  | { readonly type: "tokenize"; readonly model: number; readonly text: string; readonly special: boolean }
  | { readonly type: "detokenize"; readonly model: number; readonly tokens: readonly number[] }
  | { readonly type: "open"; readonly model: number; readonly branch: number; readonly input: Input }
  | {
      readonly type: "append";
      readonly model: number;
      readonly branch: number;
      readonly input: Input;
      readonly want: Want | null;
    }
  | {
      readonly type: "extend";
      readonly model: number;
      readonly branch: number;
      readonly splitter: Splitter;
      readonly maxTokens: number;
      readonly sampling: Sampling;
      readonly key: string;
      readonly states: boolean;
      readonly stream: boolean;
    }
  | {
      readonly type: "tree";
      readonly model: number;
      readonly branch: number;
      readonly nodes: readonly TreeToken[];
      readonly sampling: Sampling;
      readonly key: string;
      readonly ask: readonly (readonly number[])[];
      readonly topK: number;
      readonly hidden: boolean;
    }
  | { readonly type: "bytes"; readonly model: number; readonly tokens: readonly number[] }
  | { readonly type: "statistics"; readonly model: number };

/** What each call is answered with. */
export interface Answers {
  load: NativeModelInfo;
  close: null;
  tokenize: number[];
  detokenize: string;
  /** Tokens the branch was opened with. */
  open: number;
  append: AppendAnswer;
  extend: ExtendAnswer;
  tree: TreeAnswer;
  bytes: Uint8Array[];
  statistics: Statistics;
}

/** Orders that are not answered; they are served in the order sent, with the calls of the same branch. */
export type Order =
  | { readonly type: "fork"; readonly model: number; readonly branch: number; readonly child: number }
  | { readonly type: "keep"; readonly model: number; readonly branch: number; readonly node: number }
  | { readonly type: "trim"; readonly model: number; readonly branch: number; readonly length: number }
  | { readonly type: "drop"; readonly model: number; readonly branch: number }
  | { readonly type: "cancel"; readonly model: number; readonly call: number };

export type ToEngine = (Call & { readonly call: number }) | Order;

export type FromEngine =
  | { readonly type: "answer"; readonly call: number; readonly value: Answers[keyof Answers] }
  | { readonly type: "failure"; readonly call: number; readonly error: ErrorData }
  | { readonly type: "text"; readonly call: number; readonly text: string };

export interface AppendAnswer {
  readonly topK?: readonly { readonly token: number; readonly logprob: number }[];
  readonly entropy?: number;
  readonly tokens?: readonly number[];
  readonly logprobs?: readonly number[];
  readonly entropies?: readonly number[];
  readonly states?: StepStates;
  readonly hidden?: Float32Array;
  readonly row?: Float32Array;
  /** Tokens of the branch after the call. */
  readonly end: number;
  readonly usage: EngineUsage;
}

export interface ExtendAnswer {
  readonly tokens: readonly number[];
  readonly text: string;
  readonly stop: StopReason;
  readonly logprobs: readonly number[];
  readonly entropies: readonly number[];
  readonly states?: StepStates;
  /** Tokens of the branch after the call. */
  readonly end: number;
  readonly usage: EngineUsage;
}

export interface TreeAnswer {
  readonly rows: readonly TreeRow[];
  readonly usage: EngineUsage;
}

/** `Usage` but for the FLOPs, which the program knows how to count: it gets the sum of the passed positions instead. */
export interface EngineUsage extends Omit<Usage, "flops"> {
  /** Forward passes, one per token read or written. */
  readonly passes: number;
  /** Sum over passes of the token's position. */
  readonly positions: number;
}

export interface Statistics {
  readonly branches: number;
  readonly sequencesInUse: number;
  readonly freeCells: number;
  readonly cells: number;
  readonly decodes: number;
  readonly decodedTokens: number;
  /** Branches whose cells were taken for others, so far. */
  readonly evictions: number;
}
