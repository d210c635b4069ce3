/** The statistics that the bench prints, each from its closed form. */

/**
 * McNemar's exact test of paired verdicts: the two-sided probability, if both sides were equally good, of a split
 * at least as uneven as this one among the `better + worse` questions on which they differ.
 */
export function mcnemarExact(better: number, worse: number): number {
  const differing = better + worse;
  if (differing === 0) return 1;
  const few = Math.min(better, worse);
  let tail = 0;
  for (let count = 0; count <= few; count++) {
    tail += Math.exp(logBinomial(differing, count) - differing * Math.LN2);
  }
  return Math.min(1, 2 * tail);
}

/**
 * The chance that at least one of k answers is right, without bias, from `correct` right ones among `samples`.
 * Source: Chen et al., "Evaluating large language models trained on code", arXiv 2107.03374, equation 1.
 */
export function passAtK(samples: number, correct: number, k: number): number {
  if (k < 1 || k > samples) return Number.NaN;
  if (samples - correct < k) return 1;
  let none = 1;
  for (let index = samples - correct + 1; index <= samples; index++) none *= 1 - k / index;
  return 1 - none;
}

/** ln(n choose k), by summing logarithms: exact enough up to millions. */
function logBinomial(n: number, k: number): number {
  let sum = 0;
  for (let index = 1; index <= k; index++) sum += Math.log((n - k + index) / index);
  return sum;
}
