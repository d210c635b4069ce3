/** The versioned union of everything that can happen in a run. One event is one JSON value; see `trace.ts` for the file. */
import type { Check } from "./answer-rules.js";
import type { ErrorData } from "./errors.js";
import type { LedgerData, Limits } from "./ledger.js";
import type {
  ChatMessage,
  ModelSize,
  Sampling,
  SpeculationIdentity,
  SpeculationUsage,
  Usage,
} from "./model.js";
import type { Prompt } from "./prompt.js";
import type { Finish, NextToken, Role, Writer } from "./search.js";
import type { Splitter, StopReason } from "./step.js";

/**
 * 2 brought prompts begun within a run, readings, answers and steps cut short; 3 what token-level speculation cost; 4 the
 * thresholds that a reward advised.
 */
export const traceVersion = 4;

export const finishes = ["stop", "length", "stalled", "budget", "abort"] as const satisfies readonly Finish[];

export interface RoleIdentity {
  readonly name: string;
  readonly fingerprint?: string;
  readonly vocabulary?: string;
  /** Kept so that a ledger can be rebuilt from the trace alone. */
  readonly size?: ModelSize;
  /** How its tokens were drafted, where they were. */
  readonly speculation?: SpeculationIdentity;
}

export type RewardFailurePolicy = "fail" | "accept" | "target-only";

export type TraceEvent =
  | {
      readonly type: "run-started";
      readonly version: 1 | 2 | 3 | typeof traceVersion;
      readonly run: string;
      readonly method: string;
      readonly options: Readonly<Record<string, unknown>>;
      readonly question: string;
      readonly system: string | null;
      readonly seed: number;
      readonly sampling: Omit<Sampling, "seed">;
      readonly splitter: Splitter;
      readonly maxTokens: number;
      readonly maxSteps: number;
      readonly maxStepTokens: number;
      /** Where the models went on from something else than system message and question. */
      readonly prompt?: Prompt;
      readonly stop?: readonly string[];
      readonly budget: Limits;
      readonly rewardFailure: RewardFailurePolicy;
      readonly roles: Readonly<Partial<Record<Role, RoleIdentity>>>;
      /** What the caller needs to open the same models again: kept as given, not interpreted. */
      readonly references: Readonly<Record<string, unknown>>;
    }
  /** A method began another prompt; its steps are below this node. */
  | { readonly type: "root-begun"; readonly node: string; readonly messages: readonly ChatMessage[] }
  /** A model read text it had not written: the prompt, or steps that another model wrote. */
  | {
      readonly type: "context-read";
      readonly role: Writer;
      readonly node: string;
      readonly purpose: "prompt" | "catch-up";
      readonly usage: Usage;
    }
  | {
      readonly type: "step-written";
      readonly node: string;
      readonly parent: string;
      readonly role: Writer;
      readonly origin: string;
      readonly text: string;
      readonly tokens: readonly number[];
      readonly vocabulary: string;
      readonly logprobs: readonly number[];
      readonly entropies: readonly number[];
      readonly stop: StopReason;
      /** Why the answer is over at this node, if it is. */
      readonly finish: Finish | null;
      readonly usage: Usage;
      readonly speculation?: SpeculationUsage;
    }
  /** The run was cut while this step was being written: what it had cost by then. A resumed run writes it anew. */
  | {
      readonly type: "step-cut";
      readonly node: string;
      readonly parent: string;
      readonly role: Writer;
      readonly usage: Usage;
      readonly speculation?: SpeculationUsage;
    }
  /** A model read a step that another one wrote, for its log-probabilities. */
  | {
      readonly type: "step-read";
      readonly node: string;
      readonly role: Writer;
      readonly logprobs: readonly number[];
      readonly usage: Usage;
    }
  | {
      readonly type: "candidates-read";
      readonly node: string;
      readonly role: Writer;
      readonly count: number;
      readonly tokens: readonly NextToken[];
      readonly entropy: number;
      readonly usage: Usage;
    }
  | { readonly type: "answer-read"; readonly node: string; readonly answer: string | null }
  | {
      readonly type: "answers-compared";
      readonly first: string;
      readonly second: string;
      readonly same: boolean;
    }
  | { readonly type: "answer-checked"; readonly node: string; readonly check: Check | null }
  | { readonly type: "answer-offered"; readonly node: string; readonly value: number }
  | { readonly type: "step-scored"; readonly node: string; readonly value: number; readonly usage: Usage }
  | {
      readonly type: "reward-failed";
      readonly node: string;
      readonly policy: RewardFailurePolicy;
      readonly error: ErrorData;
    }
  /** The threshold in force after this node. `tokensLeft`: what the writer's budget still held; absent without a limit. */
  | {
      readonly type: "threshold-advised";
      readonly node: string;
      readonly writer: Writer;
      readonly value: number;
      readonly tokensLeft?: number;
    }
  | {
      readonly type: "coin-tossed";
      readonly node: string;
      readonly purpose: string;
      readonly probability: number;
      readonly heads: boolean;
    }
  /** `elapsed`: wall seconds of the run so far, over all its parts. */
  | { readonly type: "step-committed"; readonly node: string; readonly elapsed: number }
  /** `tokens`: how many the discarded step cost to write. */
  | { readonly type: "step-pruned"; readonly node: string; readonly role: Writer; readonly tokens: number }
  /**
   * The run was cut and taken up again here. Of the records that stood before, the first `records` still stand;
   * the rest (how the cut part ended) is void. What stands is replayed, not paid twice.
   */
  | { readonly type: "run-resumed"; readonly records: number; readonly elapsed: number }
  | { readonly type: "run-failed"; readonly error: ErrorData }
  | {
      readonly type: "run-finished";
      readonly finish: Finish;
      /** What cut the method off, where something did: its best offer may be a whole answer all the same. */
      readonly cut?: "budget" | "abort";
      /** The answer's last node. */
      readonly node: string;
      readonly text: string;
      readonly ledger: LedgerData;
      readonly elapsed: number;
    };

/** Live only, never in a file: text as it is written, provisional until its step is committed. */
export interface TextWritten {
  readonly type: "text-written";
  readonly node: string;
  readonly role: Writer;
  readonly text: string;
}

export type RunEvent = TraceEvent | TextWritten;

/** True for the id of a root: the question's own, or one that was begun. */
export function isRootId(id: string): boolean {
  return id === "" || (id.startsWith("~") && !id.includes("."));
}

/** What a model had not read before this call: the prompt under a first step, steps later on. */
export function purposeOf(parent: string): "prompt" | "catch-up" {
  return isRootId(parent) ? "prompt" : "catch-up";
}

/** What cut the recorded run off, if this is how it ended and something did. */
export function cutOf(last: TraceEvent | undefined): "budget" | "abort" | undefined {
  if (last?.type !== "run-finished") return undefined;
  if (last.cut) return last.cut;
  return last.finish === "budget" || last.finish === "abort" ? last.finish : undefined;
}

/** The records that stand: those that a `run-resumed` made void are left out. */
export function standing(events: readonly TraceEvent[]): TraceEvent[] {
  const kept: TraceEvent[] = [];
  for (const event of events) {
    if (event.type === "run-resumed" && event.records < kept.length) kept.length = event.records;
    kept.push(event);
  }
  return kept;
}
