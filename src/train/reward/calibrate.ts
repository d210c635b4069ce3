/**
 * Makes a head's log-odds mean what they say, by scores of rows that it did not see: a scale and a shift, or any curve that
 * never falls. Sources: Platt, "Probabilistic outputs for support vector machines", 1999; Guo et al., arXiv 1706.04599
 * (temperature); Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates", 2002.
 */
import { fitLogistic } from "../../core/logistic-regression.js";
import type { CalibrationTable } from "../../rewards/calibration-table.js";

export const calibrations = ["temperature", "isotonic", "none"] as const;
export type Calibration = (typeof calibrations)[number];

export interface Rescaling {
  readonly scale: number;
  readonly shift: number;
}

/** Pull of the scale to 0, in rows: keeps it finite where the scores part the labels. */
const ridge = 1;
/** A head whose scores say nothing, or the contrary, is not turned round: it is made to say nothing. */
const leastScale = 0.01;

/** The likeliest `scale x log-odds + shift`. The scale is positive: no order changes. */
export function rescalingOf(logOdds: Float64Array, labels: Float64Array): Rescaling {
  const rows = Array.from(logOdds, (score) => Float32Array.of(score));
  const { weights, bias } = fitLogistic({ rows, labels }, { ridge });
  if (weights[0]! >= leastScale) return { scale: weights[0]!, shift: bias };
  const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  return { scale: leastScale, shift: Math.log(mean / (1 - mean)) };
}

/** Points of the table, at most. */
const mostPoints = 32;

/**
 * Rows of like chance are pooled first, then those pools whose shares fall. A pool's share counts half a right and half a
 * wrong row more, so that none is certain.
 */
export function isotonicTable(chances: Float64Array, labels: Float64Array): CalibrationTable {
  const order = [...chances.keys()].sort((one, other) => chances[one]! - chances[other]!);
  const perPool = Math.max(1, Math.ceil(order.length / mostPoints));
  const pools: { chance: number; right: number; count: number }[] = [];
  let last = Number.NaN;
  for (const row of order) {
    const open = pools.at(-1);
    // Equal chances have one share.
    const pool =
      open && (open.count < perPool || chances[row] === last) ? open : { chance: 0, right: 0, count: 0 };
    if (pool !== open) pools.push(pool);
    pool.chance += chances[row]!;
    pool.right += labels[row]!;
    pool.count++;
    last = chances[row]!;
  }
  const shares = neverFalling(
    pools.map(({ right, count }) => (right + 0.5) / (count + 1)),
    pools.map(({ count }) => count),
  );
  return {
    inputs: Float32Array.from(pools, ({ chance, count }) => chance / count),
    outputs: Float32Array.from(shares),
  };
}

/** The never falling values nearest to these by weighted squares: neighbours that fall are pooled to their mean. */
export function neverFalling(values: readonly number[], weights: readonly number[]): number[] {
  const pools: { value: number; weight: number; length: number }[] = [];
  for (const [index, value] of values.entries()) {
    pools.push({ value, weight: weights[index]!, length: 1 });
    while (pools.length > 1 && pools.at(-2)!.value > pools.at(-1)!.value) {
      const [one, other] = pools.splice(-2) as [(typeof pools)[0], (typeof pools)[0]];
      const weight = one.weight + other.weight;
      const mean = (one.value * one.weight + other.value * other.weight) / weight;
      pools.push({ value: mean, weight, length: one.length + other.length });
    }
  }
  return pools.flatMap(({ value, length }) => new Array<number>(length).fill(value));
}
