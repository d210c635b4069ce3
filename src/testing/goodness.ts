/** How far counts or laws of texts lie from the law that they should have. */

type Weights = ReadonlyMap<string, number>;

/** Half the summed difference of two laws: 0 is equal, 1 is disjoint. */
export function totalVariation(a: Weights, b: Weights): number {
  let sum = 0;
  for (const text of new Set([...a.keys(), ...b.keys()]))
    sum += Math.abs((a.get(text) ?? 0) - (b.get(text) ?? 0));
  return sum / 2;
}

export function frequencies(counts: Weights): Map<string, number> {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return new Map([...counts].map(([text, count]) => [text, count / total]));
}

/** The total variation to expect between a law and the frequencies of this many draws from it, by chance alone. */
export function expectedVariation(law: Weights, draws: number): number {
  let sum = 0;
  for (const p of law.values()) sum += Math.sqrt((2 * p * (1 - p)) / (Math.PI * draws));
  return sum / 2;
}

/**
 * Pearson's statistic of counts against a law, as standard normal deviations (Wilson and Hilferty's cube root): honest
 * draws stay below 4 but once in 30,000 tests. Outcomes expected less than five times are pooled; a count where the
 * law has nothing is infinitely far.
 */
export function chiSquareDeviation(counts: Weights, law: Weights): number {
  const draws = [...counts.values()].reduce((sum, count) => sum + count, 0);
  for (const [text, count] of counts)
    if (count > 0 && !((law.get(text) ?? 0) > 0)) return Number.POSITIVE_INFINITY;
  const cells: { expected: number; counted: number }[] = [];
  const rare = { expected: 0, counted: 0 };
  for (const [text, p] of law) {
    const cell = { expected: p * draws, counted: counts.get(text) ?? 0 };
    if (cell.expected >= 5) cells.push(cell);
    else {
      rare.expected += cell.expected;
      rare.counted += cell.counted;
    }
  }
  if (rare.expected >= 5) cells.push(rare);
  const freedom = cells.length - 1;
  if (freedom < 1) return 0;
  const statistic = cells.reduce(
    (sum, { expected, counted }) => sum + (counted - expected) ** 2 / expected,
    0,
  );
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread);
}
