/** A reward says how good each step is: one number in [0, 1] per step, from the question and the steps so far. */
import type { Model, ModelSize, Usage } from "./model.js";
import type { Step, StepStates } from "./step.js";

export interface Score {
  /** In [0, 1]; anything else is the reward's failure and is handled by the run's policy, never accepted. */
  readonly value: number;
  readonly usage: Usage;
}

export interface AppendOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Log-probability of each of the step's tokens under a model that writes in this run too, read where that model
   * would write on: what is read for a score is not read again to write. Undefined for any other model.
   */
  readonly likelihood?:
    | ((model: Model, options?: { readonly states?: boolean }) => Promise<StepLikelihood> | undefined)
    | undefined;
}

export interface StepLikelihood {
  readonly logprobs: readonly number[];
  /** Of the laws they were read off, where the model tells. */
  readonly entropies?: readonly number[];
  /** Absent where they were not asked for, or come from a recording. */
  readonly states?: StepStates;
  readonly usage: Usage;
}

/**
 * A reward's reading of one chain of steps. Incremental: `append` reads only the new step. A score depends on
 * the question and the steps up to its own, never on later ones or on other chains.
 */
export interface Scorer {
  append(step: Step, options?: AppendOptions): Promise<Score>;
  /** Takes a step into the chain without asking for its score (another model's rewrite). Default use: lazily read. */
  skip(step: Step): void;
  /** At most so many FLOPs would `append(step)` cost. Without it, a FLOPs limit can be overshot by one pass. */
  flopsBound?(step: Step): number;
  fork(): Scorer;
  drop(): void;
}

/** The task's own verdict: true if a step is right after the steps before it. Texts as written. */
export type StepCheck = (stepsBefore: readonly string[], step: string) => boolean;

/** What a run tells its reward beside the question. */
export interface RewardOccasion {
  /** The system message under which the answer is written; null or absent for none. */
  readonly system?: string | null;
  readonly checkStep?: StepCheck | undefined;
}

/** What a reward knows of its scores of the draft's steps, from questions of its task. Tokens are the draft's. */
export interface RewardAdvice {
  /** The reward below which a step is better rewritten. */
  readonly threshold: number;
  /** In 32nds: `shares[i]`, i from 0 to 32, is the reward below which i/32 of the draft's tokens lie. Never falls. */
  readonly shares: readonly number[];
  /** In 32nds: `lengths[i]`, i from 0 to 32, is the number of tokens that i/32 of its answers do not exceed. Never falls. */
  readonly lengths: readonly number[];
}

export interface Reward extends AsyncDisposable {
  readonly name: string;
  /** Identity of what was fitted: equal for equal files. Absent where nothing was, and the models are all there is. */
  readonly fingerprint?: string;
  /** Steps the threshold was published or calibrated for, for the docs and for warnings. */
  readonly essence: string;
  /** Of the model that is read; absent when the reward reads none. */
  readonly size?: ModelSize;
  /** True for one that scores only where the task checks steps: a run without a check is refused. */
  readonly needsStepCheck?: boolean;
  /** True for one that scores by the probabilities that a step's writer gave its tokens. */
  readonly readsFigures?: boolean;
  /** Models whose hidden states it looks at: what they write in the run then carries them (`Step.states`). */
  readonly readsStatesOf?: readonly Model[];
  /** How the steps ended that it was fitted to, as `parseSplitter` reads it; absent when it was fitted to none. */
  readonly fittedTo?: string;
  /** Absent when it was not fitted to a draft. */
  readonly advice?: RewardAdvice;
  open(question: string, occasion?: RewardOccasion): Promise<Scorer>;
}

export const aggregations = ["min", "product", "last", "mean"] as const;
export type Aggregation = (typeof aggregations)[number];

/** One number for a chain from its steps' scores (card process-reward-models, "Aggregation"). Empty chain: 1. */
export function aggregate(kind: Aggregation, scores: readonly number[]): number {
  if (scores.length === 0) return 1;
  switch (kind) {
    case "min":
      return Math.min(...scores);
    case "product":
      return scores.reduce((product, score) => product * score, 1);
    case "last":
      return scores.at(-1)!;
    case "mean":
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  }
}
