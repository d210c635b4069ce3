/** What the report and its figures are made from. */

import type { BenchFile } from "../configuration.js";
import { groupBy } from "../group-by.js";
import type { Prediction } from "../prediction.js";
import { type Reliability, reliabilityOf } from "../reliability.js";
import type { BenchResult } from "../result.js";
import type { BenchPlan } from "../run-bench.js";
import { type SampleCurves, sampleCurves } from "../sample-curves.js";
import type { BenchSummary } from "../summary.js";

export interface BenchReport {
  readonly summary: BenchSummary;
  readonly results: readonly BenchResult[];
  readonly plan: BenchPlan;
  /** Absent where the folder holds none yet. */
  readonly file?: BenchFile | undefined;
  readonly prediction?: Prediction | undefined;
  /** One for each reward, with the row whose steps it judged. */
  readonly reliabilities: readonly { readonly label: string; readonly reliability: Reliability }[];
  readonly curves: readonly { readonly label: string; readonly curves: SampleCurves }[];
}

/** More diagrams than this tell nobody more. */
const mostReliabilities = 4;

export function benchReport(
  summary: BenchSummary,
  plan: BenchPlan,
  results: readonly BenchResult[],
  { file, prediction }: { file?: BenchFile | undefined; prediction?: Prediction | undefined } = {},
): BenchReport {
  const byLabel = groupBy(results, ({ method }) => method);
  const judged = plan.entries.flatMap(({ label, reward }) => {
    const reliability = reliabilityOf(byLabel.get(label) ?? []);
    return reliability ? [{ label, reward, reliability }] : [];
  });
  // Rows of one reward see much the same steps: the row that scored the most stands for it.
  const reliabilities = [...groupBy(judged, ({ reward }) => reward).values()]
    .map((own) => own.reduce((best, one) => (one.reliability.count > best.reliability.count ? one : best)))
    .slice(0, mostReliabilities);
  const pools = plan.baselines
    .filter(({ kind, samples }) => kind === "majority" && samples > 1)
    .map(({ writer, entry }) => ({ label: writer as string, entry }));
  const seeded = plan.seeds.length > 1 ? plan.entries.map((entry) => ({ label: entry.label, entry })) : [];
  const curves = [...pools, ...seeded].flatMap(({ label, entry }) => {
    const own = byLabel.get(entry.label) ?? [];
    return own.length > 0 ? [{ label, curves: sampleCurves(own) }] : [];
  });
  return { summary, plan, results, file, prediction, reliabilities, curves };
}
