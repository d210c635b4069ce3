/** Every source of step labels by its name. Adding one is a file and a line. */
import { createRegistry, type Registry } from "../../../core/registry.js";
import type { LabelSource } from "./label-source.js";

export const labelSources: Registry<LabelSource> = createRegistry<LabelSource>("source of labels", {
  outcome: () => import("./outcome.js"),
  "monte-carlo": () => import("./monte-carlo.js"),
  omega: () => import("./omega.js"),
  spare: () => import("./spare.js"),
  numbers: () => import("./numbers.js"),
  check: () => import("./check.js"),
});
