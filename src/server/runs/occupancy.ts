/** What the models hold at the moment, where they tell. */
import type { Model } from "../../core/model.js";
import type { ServedModels } from "../types.js";
import type { Labels } from "./prometheus.js";

export interface Occupancy {
  readonly labels: Labels;
  readonly branches: number;
  readonly cells?: number;
  readonly freeCells?: number;
}

/** An engine that is busy or gone must not hold up who asks. */
const patienceMilliseconds = 500;

/** One entry per opened model. */
export async function occupancies(models: ServedModels): Promise<Occupancy[]> {
  if (models.state !== "ready") return [];
  const opened = new Map<Model, Labels>();
  for (const pair of models.pairNames) {
    const roles = models.pair(pair);
    for (const role of ["draft", "target"] as const) {
      const model = roles[role];
      if (model && !opened.has(model)) opened.set(model, { pair, role });
    }
  }
  const found = await Promise.all([...opened].map(([model, labels]) => occupancy(model, labels)));
  return found.filter((one) => one !== undefined);
}

async function occupancy(model: Model, labels: Labels): Promise<Occupancy | undefined> {
  // Models of the engine and scripted ones tell, each in its way.
  const telling = model as Partial<{
    liveBranches: number;
    statistics(): Promise<{ branches: number; cells: number; freeCells: number }>;
  }>;
  if (telling.liveBranches !== undefined) return { labels, branches: telling.liveBranches };
  if (!telling.statistics) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMilliseconds);
  });
  const asked = telling.statistics().catch(() => undefined);
  const statistics = await Promise.race([asked, late]);
  clearTimeout(timer);
  return statistics && { labels, ...statistics };
}
