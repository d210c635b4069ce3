/** Every method by its name, loaded when it is asked for. Adding one is a file and a line. */
import type { Method } from "../core/method.js";
import { createRegistry, type Registry } from "../core/registry.js";

export const methods: Registry<Method> = createRegistry<Method>("method", {
  draft: () => import("./draft.js"),
  target: () => import("./target.js"),
  rsd: () => import("./rsd.js"),
  "a-star": () => import("./a-star.js"),
  "particle-filter": () => import("./particle-filter.js"),
  "particle-gibbs": () => import("./particle-gibbs.js"),
  "diffusion-tree": () => import("./diffusion-tree.js"),
  specreason: () => import("./specreason.js"),
  gsi: () => import("./gsi.js"),
  "first-finish": () => import("./first-finish.js"),
  hedged: () => import("./hedged.js"),
});
