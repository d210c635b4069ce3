/** Weights of alternatives, kept as logarithms until the last moment: sums, laws and draws that do not overflow. */

/** log(sum of exp(values)); -Infinity for none. */
export function logSumExp(values: readonly number[]): number {
  const greatest = Math.max(...values);
  if (!Number.isFinite(greatest)) return greatest;
  return greatest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - greatest), 0));
}

/** The law proportional to exp(logWeights). Infinite weights share all of it. */
export function softmax(logWeights: readonly number[]): number[] {
  const greatest = Math.max(...logWeights);
  const weights = logWeights.map((weight) => (weight === greatest ? 1 : Math.exp(weight - greatest)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The alternative at this point of the law's cumulative distribution, `uniform` in [0, 1). */
export function drawIndex(law: readonly number[], uniform: number): number {
  let below = 0;
  for (const [index, probability] of law.entries()) {
    below += probability;
    if (uniform < below) return index;
  }
  // Rounding may leave the sum a little below 1; what cannot happen must not be drawn for it.
  return law.findLastIndex((probability) => probability > 0);
}

/** How many equal weights would carry as much: 1 / sum of squares, from 1 to the number of alternatives. */
export function effectiveSampleSize(law: readonly number[]): number {
  return 1 / law.reduce((sum, probability) => sum + probability * probability, 0);
}

/** Entropy of a law over its greatest possible value, in [0, 1]; 1 for a single alternative. */
export function normalisedEntropy(law: readonly number[]): number {
  if (law.length < 2) return 1;
  const entropy = law.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
  return entropy / Math.log(law.length);
}
