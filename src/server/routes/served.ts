import type { ServerLimits } from "../limits.js";
import type { LiveRunService } from "../runs/index.js";
import type { ServedModels } from "../types.js";

/** What the routes answer with. */
export interface Served {
  readonly models: ServedModels;
  readonly service: LiveRunService;
  readonly limits: ServerLimits;
  /** Told what failed inside: the request's id and the error, never what was asked. */
  readonly onFailure: (id: string, error: unknown) => void;
}
