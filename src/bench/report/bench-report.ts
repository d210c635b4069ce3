/** What the report and its figures are made from. */

import { groupBy } from "../../core/group-by.js";
import type { BenchFile } from "../configuration.js";
import { poolOf } from "../equal-compute.js";
import type { Prediction } from "../prediction.js";
import { type BenchReliability, reliabilityOf } from "../reliability.js";
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
  readonly reliabilities: readonly { readonly label: string; readonly reliability: BenchReliability }[];
  readonly curves: readonly LabelledCurves[];
}

export interface LabelledCurves {
  readonly label: string;
  readonly curves: SampleCurves;
  /** FLOPs per question of so many samples; null for samples that are whole runs of a row. */
  readonly flops: readonly number[] | null;
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
  const pools = plan.baselines.flatMap((baseline) => {
    const own = byLabel.get(baseline.entry.label) ?? [];
    if (baseline.kind !== "majority" || baseline.samples < 2 || own.length === 0) return [];
    const curves = sampleCurves(own);
    const pool = poolOf(baseline, own, file?.sizes?.[baseline.writer]);
    const flops = curves.samples.map((count) => pool.promptFlops + count * pool.answerFlops);
    return [{ label: baseline.writer as string, curves, flops }];
  });
  const seeded = (plan.seeds.length > 1 ? plan.entries : []).flatMap(({ label }) => {
    const own = byLabel.get(label) ?? [];
    return own.length === 0 ? [] : [{ label, curves: sampleCurves(own), flops: null }];
  });
  const curves = [...pools, ...seeded];
  return { summary, plan, results, file, prediction, reliabilities, curves };
}
