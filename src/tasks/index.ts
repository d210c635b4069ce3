/** Every task by its name, loaded when it is asked for. Adding one is a file and a line. */
import { StepwrightError } from "../core/errors.js";
import { createRegistry, type Registry } from "../core/registry.js";
import { isGenerated, type Task } from "./task.js";

export const tasks: Registry<Task> = createRegistry<Task>("task", {
  gsm8k: () => import("./gsm8k.js"),
  math500: () => import("./math500.js"),
  svamp: () => import("./svamp.js"),
  aime24: () => import("./aime24.js"),
  amc23: () => import("./amc23.js"),
  olympiadbench: () => import("./olympiadbench.js"),
  minerva: () => import("./minerva.js"),
  gaokao2023en: () => import("./gaokao2023en.js"),
  "gpqa-diamond": () => import("./gpqa-diamond.js"),
  "mmlu-stem": () => import("./mmlu-stem.js"),
  aqua: () => import("./aqua.js"),
  "human-eval": () => import("./human-eval.js"),
  lab: () => import("./lab.js"),
  "lab-recall": () => import("./lab-recall.js"),
  "lab-edit": () => import("./lab-edit.js"),
  "lab-search": () => import("./lab-search.js"),
});

/** A task by its name, or one level of it (`lab:3`). Throws `unknown-name` or `invalid-option`. */
export async function findTask(name: string): Promise<Task> {
  const [, base, level] = /^(.+):(\d+)$/.exec(name) ?? [];
  const task = await tasks.get(base ?? name);
  if (level === undefined) return task;
  const levels = isGenerated(task) ? (task.levels ?? []) : [];
  const found = levels[Number(level) - 1];
  if (found) return found;
  throw new StepwrightError("invalid-option", `${base} has no level ${level}`, {
    subject: name,
    remedy: levels.length === 0 ? `write ${base}` : `levels are 1 to ${levels.length}`,
  });
}
