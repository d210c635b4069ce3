/** How high a reward's advice is in force while a run's tokens are limited. */
import { StepwrightError } from "./errors.js";
import type { RewardAdvice } from "./reward.js";

/** What is left to write. */
export interface Prospect {
  /** Tokens of the answer so far. */
  readonly written: number;
  /** The most tokens that the answer may have in all. */
  readonly maxTokens: number;
  /** Tokens that who rewrites may still write; infinite where the budget does not limit them. */
  readonly tokensLeft: number;
}

/**
 * The advised threshold, or where the budget is too small for it, the reward below which about so many of the draft's
 * tokens lie as can still be rewritten: the tokens left, as a share of those that the answer still needs. 0, which keeps
 * every step, once nothing is left. Asked again at every step, so that what was guessed wrongly is made up for.
 */
export function thresholdWithin(advice: RewardAdvice, prospect: Prospect): number {
  const { tokensLeft } = prospect;
  if (tokensLeft < 1) return 0;
  if (tokensLeft === Number.POSITIVE_INFINITY) return advice.threshold;
  const share = tokensLeft / expectedRest(advice.lengths, prospect);
  return share >= 1 ? advice.threshold : Math.min(advice.threshold, quantile(advice.shares, share));
}

/** The mean of what those known answers still had to come that were longer; past them all, as much as there may be. */
function expectedRest(lengths: readonly number[], { written, maxTokens }: Prospect): number {
  const longer = lengths.filter((length) => length > written);
  if (longer.length === 0) return Math.max(1, maxTokens - written);
  return longer.reduce((sum, length) => sum + length - written, 0) / longer.length;
}

/**
 * The least reward of the table that is above the share's own. Of tokens with one reward none is the better one to save
 * for: where a few of them can be paid for, they are rewritten as they come.
 */
function quantile(table: readonly number[], share: number): number {
  const own = table[Math.floor(share * (table.length - 1))]!;
  return table.find((reward) => reward > own) ?? Number.POSITIVE_INFINITY;
}

export function noAdvice(reward: string): StepwrightError {
  return new StepwrightError("invalid-option", `the reward ${reward} advises no threshold`, {
    subject: "reward",
    remedy: "give the threshold as a number, or train a head for this draft: stepwright train reward",
  });
}
