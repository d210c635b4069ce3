/** The bench as one document: what `bench --json` prints. */
import type { Baseline } from "./baselines.js";
import { poolOf } from "./equal-compute.js";
import type { BenchEntry } from "./method-list.js";
import type { PhysicalFacts } from "./physical-limit.js";
import { type BenchResult, resultKey } from "./result.js";
import { type BenchRow, type RowContext, rowOf } from "./row.js";
import type { BenchPlan } from "./run-bench.js";
import { spendingOf } from "./spending.js";

/** Below so many questions an accuracy is uncertain by more than about ten points. */
const smallSample = 100;

export interface BenchSummary {
  readonly task: string;
  /** Questions that every method has answered with every seed: all rows are over these. */
  readonly n: number;
  readonly rows: readonly BenchRow[];

  readonly seeds: number;
  /** Questions at work at the same time. */
  readonly concurrency: number;
  /** Questions asked for. */
  readonly planned: number;
  readonly isSmallSample: boolean;
  /** Failed runs of all rows. */
  readonly failed: number;
  /** Samples that the rows' baselines voted over at most; null without baselines. */
  readonly baseline: { readonly samples: number; readonly temperature: number } | null;
}

export function summarise(
  task: string,
  plan: BenchPlan,
  results: readonly BenchResult[],
  facts: PhysicalFacts = { sizes: {} },
): BenchSummary {
  const found = new Map(results.map((result) => [resultKey(result), result]));
  const resultsOf = (entry: BenchEntry, question: string) =>
    plan.seeds.flatMap((seed) => found.get(resultKey({ question, method: entry.label, seed })) ?? []);
  const drawnOf = ({ entry, samples }: Baseline, question: string) =>
    Array.from({ length: samples }, (_, seed) => seed).flatMap(
      (seed) => found.get(resultKey({ question, method: entry.label, seed })) ?? [],
    );
  const poolResults = (baseline: Baseline, question: string) =>
    baseline.isRow ? resultsOf(baseline.entry, question).slice(0, 1) : drawnOf(baseline, question);
  const complete = plan.questions.filter(
    ({ id }) =>
      plan.entries.every((entry) => resultsOf(entry, id).length === plan.seeds.length) &&
      plan.baselines.every((baseline) => poolResults(baseline, id).length === baseline.samples),
  );
  const sides = plan.entries.map((entry) => ({
    entry,
    results: complete.flatMap(({ id }) => resultsOf(entry, id)),
  }));
  const target = sides.find(({ entry }) => entry.method.name === "target");
  const context: RowContext = {
    seeds: plan.seeds.length,
    ...facts,
    pools: plan.baselines.map((baseline) =>
      poolOf(
        baseline,
        complete.flatMap(({ id }) => poolResults(baseline, id)),
        facts.sizes[baseline.writer],
      ),
    ),
    ...(target && { target: { results: target.results, spending: spendingOf(target.results) } }),
  };
  const sampled = plan.baselines.find(({ kind }) => kind === "majority");
  const rows = sides.map(({ entry, results }) => rowOf(entry, results, context));
  return {
    task,
    n: complete.length,
    rows,
    seeds: plan.seeds.length,
    concurrency: plan.concurrency,
    planned: plan.questions.length,
    isSmallSample: complete.length < smallSample,
    failed: rows.reduce((sum, row) => sum + row.failed, 0),
    baseline: sampled ? { samples: sampled.samples, temperature: sampled.temperature } : null,
  };
}
