/** What a head sees of a step: statistics of its tokens' probabilities, each of a size that a linear layer can weigh. */
import type { TokenFigures } from "./certainty.js";

/** Below this, a probability of being wrong is rounding: ln of it bounds the doubt. */
const leastDoubt = 1e-7;
/** ln p below this says no more than that it was not to be. */
export const lowestLogprob = -20;

export const stepStatistics = {
  /** ln of the probability that the least probable token was not taken: spreads the nearly sure apart. */
  doubt: ({ logprobs }) => Math.log(leastDoubt - Math.expm1(Math.min(0, ...logprobs))),
  least: ({ logprobs }) => Math.max(lowestLogprob, Math.min(0, ...logprobs)),
  mean: ({ logprobs }) => Math.max(lowestLogprob, average(logprobs)),
  sum: ({ logprobs }) => Math.max(-50, total(logprobs)),
  entropy: ({ entropies }) => Math.max(0, ...entropies),
  "mean-entropy": ({ entropies }) => average(entropies),
  /** Second greatest entropy: one hard choice or several. */
  "second-entropy": ({ entropies }) => [...entropies].sort((one, other) => other - one)[1] ?? 0,
  tokens: ({ logprobs }) => logprobs.length,
} as const satisfies Record<string, (figures: TokenFigures) => number>;

export type StepStatistic = keyof typeof stepStatistics;

export const stepStatisticNames = Object.keys(stepStatistics) as StepStatistic[];

/** One number per name, in their order. */
export function statisticsOf(names: readonly StepStatistic[], figures: TokenFigures): Float32Array {
  return Float32Array.from(names, (name) => stepStatistics[name](figures));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function average(values: readonly number[]): number {
  return values.length === 0 ? 0 : total(values) / values.length;
}
