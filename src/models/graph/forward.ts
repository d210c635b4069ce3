/** What a forward pass is asked for. */
import { StepwrightError } from "../../core/errors.js";
import type { ForwardPlan } from "./forward-plan.js";

/** One token of a pass. */
export interface ForwardToken {
  readonly token: number;
  readonly position: number;
  /** Sequences it belongs to; several for the shared nodes of a tree. It sees what the first of them holds. */
  readonly sequences: readonly number[];
  readonly output: boolean;
  /** Passed in its place: the weighted sum of these tokens' embeddings. */
  readonly blend?: readonly { readonly token: number; readonly weight: number }[];
}

export interface ForwardOptions {
  readonly plan?: ForwardPlan;
  /** Tokens at positions that their sequence already holds are computed anew in place instead of being appended. */
  readonly refresh?: boolean;
  /** `causal` (default): a token sees positions up to its own; `full`: all that its sequence holds. */
  readonly sight?: "causal" | "full";
  /** Whether a query head of a layer may look from one position to another, beside what `sight` says. Is asked often. */
  readonly mask?: (layer: number, head: number, position: number, other: number) => boolean;
}

/** `full`: there were not enough free rows; `aborted`: stopped. Appended rows are then gone again. */
export type ForwardStatus = "done" | "full" | "aborted";

/** Throws `internal` unless every token is one of the model's, in sequences there are. */
export function checkBatch(batch: readonly ForwardToken[], vocabulary: number, sequences: number): void {
  const within = (value: number, limit: number) => Number.isInteger(value) && value >= 0 && value < limit;
  const wrong = batch.find(
    (token) =>
      !within(token.token, vocabulary) ||
      !within(token.position, 2 ** 31) ||
      token.sequences.length === 0 ||
      !token.sequences.every((sequence) => within(sequence, sequences)) ||
      token.blend?.some((part) => !within(part.token, vocabulary)),
  );
  if (wrong === undefined && batch.length > 0) return;
  throw new StepwrightError("internal", `not a batch for this model: ${JSON.stringify(wrong ?? "no token")}`);
}
