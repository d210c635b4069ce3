/** What a head may look at of one step: gathered the same way when a head is trained and when it scores. */
import type { Model, Usage } from "../../core/model.js";
import type { AppendOptions, RewardOccasion } from "../../core/reward.js";
import type { Step, StepStates } from "../../core/step.js";
import type { TokenFigures } from "../certainty.js";

/** The models of a run by their part in it; a head names those it was made for. */
export const readerRoles = ["draft", "target"] as const;
export type ReaderRole = (typeof readerRoles)[number];

/** What is to be gathered. The step's own figures and place are always there, and free. */
export interface ReadingNeeds {
  /** Log-probabilities of the step's tokens under these models: one read of the step, or none where it is their own. */
  readonly likelihoods: readonly ReaderRole[];
  /** How typical the step is of these models' laws; read with the likelihood. */
  readonly typicals: readonly ReaderRole[];
  /** Hidden states over the step in these models: none to read where the step carries them, or a likelihood is read. */
  readonly states: readonly ReaderRole[];
  /** P(yes) of these models as judges: a read of the step and a short question in a context of their own. */
  readonly judges: readonly ReaderRole[];
}

export interface StepReadings {
  readonly step: Pick<Step, "text" | "tokens" | "logprobs" | "entropies" | "stop">;
  /** Steps before it. */
  readonly index: number;
  /** Figures of those of them that the draft wrote, in order: what was rewritten is no doubt of the draft's. */
  readonly earlier: readonly TokenFigures[];
  readonly likelihoods: Partial<Record<ReaderRole, readonly number[]>>;
  /** The least ln p + H of its tokens. */
  readonly typicals: Partial<Record<ReaderRole, number>>;
  readonly states: Partial<Record<ReaderRole, StepStates>>;
  /** In [0, 1]. */
  readonly judges: Partial<Record<ReaderRole, number>>;
}

export interface ReadingCost {
  /** What was read for this step, all of it together. */
  readonly usage: Usage;
  /** The same by what it was read for: `likelihood:target`, `judge:draft`, `state:draft`. */
  readonly parts: Readonly<Record<string, Usage>>;
}

/** The readings of one chain of steps, as a `Scorer` is for scores. */
export interface ReadingChain {
  append(step: Step, options?: AppendOptions): Promise<{ readings: StepReadings; cost: ReadingCost }>;
  skip(step: Step): void;
  flopsBound(step: Step): number;
  fork(): ReadingChain;
  drop(): void;
}

export interface ReadingSource extends AsyncDisposable {
  /** Models whose states should come with the steps they write. */
  readonly readsStatesOf: readonly Model[];
  open(question: string, occasion?: RewardOccasion): Promise<ReadingChain>;
}
