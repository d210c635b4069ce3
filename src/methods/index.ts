/** Every method by its name, loaded when it is asked for. Adding one is a file and a line. */
import type { Method } from "../core/method.js";
import { createRegistry, type Registry } from "../core/registry.js";

export const methods: Registry<Method> = createRegistry<Method>("method", {
  draft: () => import("./draft.js"),
  target: () => import("./target.js"),
  rsd: () => import("./rsd.js"),
  "best-of-n": () => import("./best-of-n.js"),
  "self-consistency": () => import("./self-consistency.js"),
  "step-best-of-n": () => import("./step-best-of-n.js"),
  beam: () => import("./beam.js"),
  dvts: () => import("./dvts.js"),
  lookahead: () => import("./lookahead.js"),
  mcts: () => import("./mcts.js"),
  "self-refine": () => import("./self-refine.js"),
  "a-star": () => import("./a-star.js"),
  "particle-filter": () => import("./particle-filter.js"),
  "particle-gibbs": () => import("./particle-gibbs.js"),
  "diffusion-tree": () => import("./diffusion-tree.js"),
  specreason: () => import("./specreason.js"),
  gsi: () => import("./gsi.js"),
  "first-finish": () => import("./first-finish.js"),
  hedged: () => import("./hedged.js"),
  adaptive: () => import("./adaptive.js"),
  "compute-optimal": () => import("./compute-optimal.js"),
  iterative: () => import("./iterative.js"),
  archon: () => import("./archon.js"),
  cntp: () => import("./cntp.js"),
  adadec: () => import("./adadec.js"),
  momentum: () => import("./momentum.js"),
});
