/** The paired bootstrap: how sure a difference is over the questions that happened to be asked. */
import { generator } from "../core/generator.js";

const draws = 4000;

/**
 * The 95 % percentile interval of the mean of `differences` (one per question, first side minus second), from
 * 4,000 resamples of the questions. Seeded: the same differences give the same interval.
 * Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.
 */
export function pairedBootstrap(differences: readonly number[], seed = 0): [low: number, high: number] {
  const count = differences.length;
  if (count === 0) return [-1, 1];
  const random = generator("paired bootstrap", seed);
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    for (let index = 0; index < count; index++) sum += differences[Math.floor(random() * count)]!;
    return sum / count;
  }).sort();
  return [means[Math.floor(0.025 * draws)]!, means[Math.ceil(0.975 * draws) - 1]!];
}
