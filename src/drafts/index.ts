/** Every drafter by its name, loaded when it is asked for. Adding one is a file and a line. */
import { createRegistry, type Registry } from "../core/registry.js";
import type { Drafter } from "../core/speculation.js";

export const drafters: Registry<Drafter> = createRegistry<Drafter>("drafter", {
  lookup: () => import("./lookup.js"),
  suffix: () => import("./suffix.js"),
  recycling: () => import("./recycling.js"),
  jacobi: () => import("./jacobi.js"),
  model: () => import("./model.js"),
  "model-tree": () => import("./model-tree.js"),
  dyspec: () => import("./dyspec.js"),
  "beam-forest": () => import("./beam-forest.js"),
  superposed: () => import("./superposed.js"),
  retrieval: () => import("./retrieval.js"),
  rapid: () => import("./rapid.js"),
  hint: () => import("./hint.js"),
  fused: () => import("./fused.js"),
});
