import { StepwrightError } from "../core/errors.js";
import type { ModelRecipe } from "./model-recipe.js";

/** Throws `invalid-option` for a recipe that cannot be trained, so that no native assertion ends the process. */
export function checkRecipe({ sizes, plan }: ModelRecipe): void {
  const invalid = (subject: string, problem: string) =>
    new StepwrightError("invalid-option", `recipe: ${subject} ${problem}`, { subject });
  const whole = { ...sizes, rows: plan.rows, rowLength: plan.rowLength, accumulate: plan.accumulate ?? 1 };
  for (const [name, value] of Object.entries(whole)) {
    if (typeof value !== "number" || name === "ropeBase" || name === "normEpsilon") continue;
    if (!Number.isInteger(value) || value < 1) throw invalid(name, `is ${value}, not a whole number above 0`);
  }
  for (const name of ["tokens", "learningRate"] as const) {
    if (!(plan[name] > 0 && Number.isFinite(plan[name])))
      throw invalid(name, `is ${plan[name]}, not above 0`);
  }
  if (sizes.width % sizes.heads !== 0) throw invalid("width", "is not a multiple of heads");
  if ((sizes.width / sizes.heads) % 2 !== 0)
    throw invalid("width", "gives heads of odd size, which cannot be rotated");
  if (sizes.heads % sizes.kvHeads !== 0) throw invalid("heads", "is not a multiple of kvHeads");
  if (plan.rows % (plan.accumulate ?? 1) !== 0) throw invalid("rows", "is not a multiple of accumulate");
}
