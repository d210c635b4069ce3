/** Small pieces of probability. */
import type { Judgement } from "./reader.js";

export function sigmoid(value: number): number {
  // Two forms, so that neither side overflows.
  return value >= 0 ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / (1 + Math.exp(value));
}

/** ln(sum of exp); -Infinity of nothing. NaN stays NaN, so that a sick model is noticed. */
export function logSumExp(values: readonly number[]): number {
  const greatest = Math.max(...values);
  if (greatest === -Infinity) return -Infinity;
  return greatest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
}

/** P(good) among good and bad spellings, from their log-probabilities. */
export function twoSided(good: readonly number[], bad: readonly number[]): Judgement {
  const yes = logSumExp(good);
  const no = logSumExp(bad);
  return { value: sigmoid(yes - no), mass: Math.exp(yes) + Math.exp(no) };
}
