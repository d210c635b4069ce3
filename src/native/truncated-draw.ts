/** Draws from the head of a law: top-k, then top-p on what is left, then min-p. */

export interface Truncation {
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  /** 0 is off. */
  readonly minP: number;
}

export function truncates({ topK, topP, minP }: Truncation): boolean {
  return topK > 0 || topP < 1 || minP > 0;
}

/**
 * How many of the most probable tokens are kept, given the probabilities of the first of them in falling order
 * (`total` is the sum over the whole law, `complete` says that no token is missing). Undefined if the given ones
 * do not decide it: give more. At least one token is always kept.
 */
export function keptCount(
  sorted: Float32Array,
  total: number,
  complete: boolean,
  { topK, topP, minP }: Truncation,
): number | undefined {
  const limit = topK > 0 ? Math.min(topK, sorted.length) : sorted.length;
  if (topK > sorted.length && !complete) return undefined;
  let mass = total;
  if (topK > 0) {
    mass = 0;
    for (let index = 0; index < limit; index++) mass += sorted[index]!;
  }
  const least = minP * sorted[0]!;
  let sum = 0;
  for (let index = 0; index < limit; index++) {
    if (index > 0 && sorted[index]! < least) return index;
    sum += sorted[index]!;
    if (topP < 1 && sum >= topP * mass) return index + 1;
  }
  return topK > 0 || complete ? limit : undefined;
}

/**
 * The index, below `count`, that holds the point `uniform` (in [0, 1)) of the renormalised law. Never one of
 * probability 0, unless all are.
 */
export function pickAmong(sorted: Float32Array, count: number, uniform: number): number {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += sorted[index]!;
  let rest = uniform * sum;
  let picked = 0;
  for (let index = 0; index < count; index++) {
    if (!(sorted[index]! > 0)) continue;
    picked = index;
    if (rest < sorted[index]!) break;
    rest -= sorted[index]!;
  }
  return picked;
}
