/** Every task by its name, loaded when it is asked for. Adding one is a file and a line. */
import { createRegistry, type Registry } from "../core/registry.js";
import type { Task } from "./task.js";

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
});
