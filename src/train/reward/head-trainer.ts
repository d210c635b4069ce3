/** What kinds of head have in common: how they are trained, and what they tell of themselves. */
import { crossEntropy } from "../../core/logistic-regression.js";
import type { Examples } from "./examples.js";
import type { Network } from "./network.js";

export interface HeadWork {
  readonly examples: Examples;
  /** Of each row. */
  readonly folds: Uint8Array;
  /** Which inputs belong to whole states: they are many, and each says little. */
  readonly ofState: readonly boolean[];
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** How much of the training is done, in [0, 1]. */
  onProgress?(share: number): void;
}

export interface CrossValidated {
  /** Fitted to all rows. */
  readonly network: Network;
  /** Log-odds of each row by a head that saw no row of its question. */
  readonly outOfFold: Float64Array;
  /** Mean cross-entropy of these, weighted as the rows are, in nats. */
  readonly loss: number;
  /** What cross-validation chose. */
  readonly chosen: Readonly<Record<string, number>>;
}

export interface HeadTrainer {
  readonly kind: string;
  readonly essence: string;
  train(work: HeadWork): Promise<CrossValidated>;
}

/** Rows inside and outside of each fold that has any. */
export function splitsOf(folds: Uint8Array): { readonly inside: number[]; readonly outside: number[] }[] {
  const places = [...folds.keys()];
  return [...new Set(folds)].sort().map((fold) => ({
    inside: places.filter((place) => folds[place] === fold),
    outside: places.filter((place) => folds[place] !== fold),
  }));
}

/** Weighted mean cross-entropy of log-odds, in nats. */
export function lossOf(
  scores: Float64Array,
  { labels, weights }: Pick<Examples, "labels" | "weights">,
): number {
  let [loss, total] = [0, 0];
  for (const [row, score] of scores.entries()) {
    loss += weights[row]! * crossEntropy(score, labels[row]!);
    total += weights[row]!;
  }
  return loss / total;
}
