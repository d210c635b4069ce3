/**
 * Which reward is good enough to keep a draft's step: rules of card reward-guided-speculative-decoding, "Facts a test can
 * use" (Liao et al., arXiv 2501.19324). Scores must be of answers that the head did not learn from.
 */
import type { HeadFacts } from "../../rewards/head-file.js";

/** A step of the draft. */
export interface ScoredStep {
  readonly score: number;
  /** In [0, 1]. */
  readonly label: number;
  readonly tokens: number;
}

export type ThresholdChoice =
  /** `targetMean`: mean label of the target's own steps. */
  | { readonly rule: "target-mean" | "best"; readonly targetMean: number }
  /** `share` of the draft's tokens that may be rewritten. */
  | { readonly rule: "budget"; readonly share: number };

/** As the head's file keeps it; `answerTokens` are those of each whole answer of the draft. */
export function chooseThreshold(
  choice: ThresholdChoice,
  steps: readonly ScoredStep[],
  answerTokens: readonly number[],
): NonNullable<HeadFacts["threshold"]> {
  return {
    value: thresholdOf(choice, steps),
    rule: choice.rule,
    shares: sharesOf(steps),
    lengths: lengthsOf(answerTokens),
  };
}

function thresholdOf(choice: ThresholdChoice, steps: readonly ScoredStep[]): number {
  switch (choice.rule) {
    case "target-mean":
      return choice.targetMean;
    case "budget":
      return budgetThreshold(steps, choice.share);
    case "best":
      return bestThreshold(steps, choice.targetMean);
  }
}

/** Share of the draft's tokens that stand in steps with a score below the threshold: what would be rewritten. */
export function shareBelow(steps: readonly ScoredStep[], threshold: number): number {
  const below = steps.filter(({ score }) => score < threshold);
  return tokensOf(below) / Math.max(1, tokensOf(steps));
}

/** The greatest threshold that has at most this share of the draft's tokens rewritten; 1 where that is all of them. */
export function budgetThreshold(steps: readonly ScoredStep[], share: number): number {
  const sorted = steps.toSorted((one, other) => one.score - other.score);
  const room = share * tokensOf(steps) + 1e-9;
  let below = 0;
  for (const { score, tokens } of sorted) {
    below += tokens;
    if (below > room) return score;
  }
  return 1;
}

/**
 * The threshold at which the mean label of a step is greatest, if what falls below it is rewritten at `targetMean`; of equal
 * ones the least.
 */
export function bestThreshold(steps: readonly ScoredStep[], targetMean: number): number {
  const sorted = steps.toSorted((one, other) => one.score - other.score);
  let [best, gain, threshold] = [0, 0, 0];
  for (const [index, { score, label }] of sorted.entries()) {
    gain += targetMean - label;
    const next = sorted[index + 1]?.score;
    // Between two equal scores there is no threshold.
    if (next === score || gain <= best + 1e-12) continue;
    best = gain;
    threshold = next ?? 1;
  }
  return threshold;
}

const parts = 32;

/** `RewardAdvice.shares`. Nothing may be below the first, so it is 0 whatever the draft may write one day. */
export function sharesOf(steps: readonly ScoredStep[]): number[] {
  return Array.from({ length: parts + 1 }, (_, part) =>
    part === 0 ? 0 : budgetThreshold(steps, part / parts),
  );
}

/** `RewardAdvice.lengths`: linear between the two nearest answers. */
export function lengthsOf(answerTokens: readonly number[]): number[] {
  const sorted = answerTokens.toSorted((one, other) => one - other);
  return Array.from({ length: parts + 1 }, (_, part) => {
    const place = (part / parts) * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
    return low + (place % 1) * (high - low);
  });
}

function tokensOf(steps: readonly ScoredStep[]): number {
  return steps.reduce((sum, { tokens }) => sum + tokens, 0);
}
