import type { ServerLimits } from "../limits.js";
import type { LiveRunService } from "../runs/index.js";
import type { ServedModels } from "../types.js";

/** What the routes answer with. */
export interface Served {
  readonly models: ServedModels;
  readonly service: LiveRunService;
  readonly limits: ServerLimits;
}
