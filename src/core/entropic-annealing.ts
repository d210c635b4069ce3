/**
 * Entropic annealing: early on, and only while a few particles carry nearly all weight, their law is flattened so
 * that resampling does not throw the others away too soon. Entropic particle filtering, arXiv 2510.05825; the three
 * rules and their defaults as in its_hub.
 */
import { effectiveSampleSize, normalisedEntropy } from "./weights.js";

export const annealingRules = ["off", "ess", "entropy", "linear"] as const;

export interface Annealing {
  readonly rule: (typeof annealingRules)[number];
  /** Anneals while the effective sample size is below this share of the particles. */
  readonly below: number;
  /** Anneals in this first part of the horizon only, in [0, 1]. */
  readonly early: number;
}

/** What the log-weights behind `law` are to be divided by, at least 1. `progress`: the share of the horizon so far. */
export function annealedTemperature(law: readonly number[], progress: number, annealing: Annealing): number {
  const share = effectiveSampleSize(law) / law.length;
  const idle = law.length < 2 || share >= annealing.below || progress >= annealing.early;
  if (idle || annealing.rule === "off") return 1;
  if (annealing.rule === "ess") return Math.max(1, (1 - progress) / share);
  if (annealing.rule === "linear") return Math.max(1, 2 - progress);
  const entropy = normalisedEntropy(law);
  return 1 / (entropy + (1 - entropy) * progress);
}
