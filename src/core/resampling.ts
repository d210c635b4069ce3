/** Resampling of weighted particles: which of them go on, and how often. */
import { drawIndex } from "./weights.js";

export const resamplingSchemes = ["multinomial", "systematic", "stratified", "residual"] as const;
export type ResamplingScheme = (typeof resamplingSchemes)[number];

/**
 * `count` indices into `law`, each index expected count x law[index] times. `uniform(i)` gives the i-th random
 * number in [0, 1). Multinomial: independent draws. Systematic: one random number, counts within 1 of their
 * expectation. Stratified: one draw in each of `count` equal strata. Residual: the whole parts of the expectations,
 * then independent draws from what is left of them (Douc, Cappe and Moulines 2005, "Comparison of resampling
 * schemes for particle filtering").
 */
export function resample(
  scheme: ResamplingScheme,
  law: readonly number[],
  count: number,
  uniform: (index: number) => number,
): number[] {
  const slots = Array.from({ length: count }, (_, slot) => slot);
  switch (scheme) {
    case "multinomial":
      return slots.map((slot) => drawIndex(law, uniform(slot)));
    case "systematic": {
      const offset = uniform(0);
      return slots.map((slot) => drawIndex(law, (slot + offset) / count));
    }
    case "stratified":
      return slots.map((slot) => drawIndex(law, (slot + uniform(slot)) / count));
    case "residual": {
      const certain = law.flatMap((p, index) => Array<number>(wholePart(count * p)).fill(index));
      const left = law.map((p) => count * p - wholePart(count * p));
      const total = left.reduce((sum, weight) => sum + weight, 0);
      const rest = left.map((weight) => weight / total);
      const drawn = slots.slice(certain.length).map((slot) => drawIndex(rest, uniform(slot)));
      return [...certain, ...drawn];
    }
  }
}

/** Rounding must not turn an expectation of three into two and a draw. */
function wholePart(expectation: number): number {
  return Math.floor(expectation + 1e-9);
}
