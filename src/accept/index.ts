/** Every acceptance rule by its name, loaded when it is asked for. Adding one is a file and a line. */
import { createRegistry, type Registry } from "../core/registry.js";
import type { AcceptanceRule } from "../core/speculation.js";

export const rules: Registry<AcceptanceRule> = createRegistry<AcceptanceRule>("acceptance rule", {
  agreement: () => import("./agreement.js"),
  greedy: () => import("./greedy.js"),
  rejection: () => import("./rejection.js"),
  "multi-round": () => import("./multi-round.js"),
  recursive: () => import("./recursive.js"),
  "k-seq": () => import("./k-seq.js"),
  point: () => import("./point.js"),
  typical: () => import("./typical.js"),
  "calibrated-rescue": () => import("./calibrated-rescue.js"),
  "entropy-veto": () => import("./entropy-veto.js"),
  reflective: () => import("./reflective.js"),
});
