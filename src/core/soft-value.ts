/** Soft values: what a state is worth when its continuations are reweighed by exp(lambda x reward). */
import { logSumExp } from "./weights.js";

/**
 * (1 / lambda) log E[exp(lambda x value)] over a state's continuations: the mean for lambda near 0, the greatest for
 * large lambda. Sampled continuations count equally; those that were enumerated, each once, need their
 * log-probabilities. Diffusion Tree Sampling, arXiv 2506.20701, section 3.
 */
export function softValue(values: readonly number[], lambda: number, logPrior?: readonly number[]): number {
  const equal = -Math.log(values.length);
  return logSumExp(values.map((value, index) => lambda * value + (logPrior?.[index] ?? equal))) / lambda;
}
