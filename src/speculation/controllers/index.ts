/** Every controller by its name, loaded when it is asked for. Adding one is a file and a line. */
import { createRegistry, type Registry } from "../../core/registry.js";
import type { Controller } from "../../core/speculation.js";

export const controllers: Registry<Controller> = createRegistry<Controller>("controller", {
  auto: () => import("./auto.js"),
  fixed: () => import("./fixed.js"),
  confidence: () => import("./confidence.js"),
  "stop-head": () => import("./stop-head.js"),
  goodput: () => import("./goodput.js"),
  pearl: () => import("./pearl.js"),
  budget: () => import("./budget.js"),
});
