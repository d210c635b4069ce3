/** Every source of step labels by its name. Adding one is a file and a line. */
import { createRegistry, type Registry } from "../../../core/registry.js";
import type { TaskQuestion } from "../../../tasks/task.js";
import { canLabel, isPaid, type LabelSource } from "./label-source.js";

export const labelSources: Registry<LabelSource> = createRegistry<LabelSource>("source of labels", {
  outcome: () => import("./outcome.js"),
  "monte-carlo": () => import("./monte-carlo.js"),
  omega: () => import("./omega.js"),
  spare: () => import("./spare.js"),
  numbers: () => import("./numbers.js"),
  check: () => import("./check.js"),
});

/** The most exact labels that cost nothing and can be made of every question. */
export async function freeLabels(
  questions: readonly Pick<TaskQuestion, "steps" | "reference">[],
  checksSteps: boolean,
): Promise<LabelSource> {
  const fit = (await labelSources.all()).filter(
    (source) =>
      !isPaid(source) &&
      (checksSteps || !source.needs.includes("step-check")) &&
      questions.every((question) => canLabel(source, question)),
  );
  return fit.reduce((best, source) => (source.exactness > best.exactness ? source : best));
}
