/** Accuracy by number of samples: of a vote, and of a perfect choice. */
import { groupBy } from "../core/group-by.js";
import { majorityAccuracy } from "./majority.js";
import type { BenchResult } from "./result.js";
import { passAtK } from "./statistics.js";

export interface SampleCurves {
  readonly samples: readonly number[];
  /** Expected accuracy of the most frequent answer among so many. */
  readonly majority: readonly number[];
  /** pass@k: the chance that one of so many is right. Only a chooser who knows the answers reaches it. */
  readonly oracle: readonly number[];
}

/** 1, 2, 4, ... and as many as every question has. */
export function sampleCounts(questions: readonly (readonly BenchResult[])[]): number[] {
  if (questions.length === 0) return [];
  const most = Math.min(...questions.map((own) => own.length));
  const counts: number[] = [];
  for (let count = 1; count < most; count *= 2) counts.push(count);
  return [...counts, most];
}

/** Over the questions of these results. */
export function sampleCurves(results: readonly BenchResult[]): SampleCurves {
  const questions = [...groupBy(results, ({ question }) => question).values()];
  const samples = sampleCounts(questions);
  const mean = (value: (own: readonly BenchResult[]) => number) =>
    questions.reduce((sum, own) => sum + value(own), 0) / questions.length;
  const right = (own: readonly BenchResult[]) => own.filter(({ correct }) => correct).length;
  return {
    samples,
    majority: samples.map((count) => mean((own) => majorityAccuracy(own, count))),
    oracle: samples.map((count) => mean((own) => passAtK(own.length, right(own), count))),
  };
}
