import type { TrainingPlan } from "./model-recipe.js";

/**
 * Learning rate of an optimiser step: linear warm-up over the first steps, times a cosine over the share of the tokens
 * seen so far, which ends at `finalShare`.
 */
export function learningRate(plan: TrainingPlan, step: number, tokensSeen: number): number {
  const warm = Math.min(1, (step + 1) / Math.max(1, plan.warmUp ?? 100));
  const share = Math.min(1, tokensSeen / plan.tokens);
  const final = plan.finalShare ?? 0;
  const cosine = final + ((1 - final) * (1 + Math.cos(Math.PI * share))) / 2;
  return plan.learningRate * warm * cosine;
}
