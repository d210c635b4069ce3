/**
 * What repeating plain decoding or a method brings: on average, by vote, with a perfect chooser, and when every one
 * of the samples must be right.
 * Source: card inference-time-scaling-complex-tasks, "Parallel protocol"; pass@k: Chen et al. 2021.
 */
import { majorityAccuracy } from "../majority.js";
import { pairedBootstrap } from "../paired-bootstrap.js";
import type { BenchResult } from "../result.js";
import { sampleCounts } from "../sample-curves.js";
import { passAtK } from "../statistics.js";

export interface Share {
  readonly value: number;
  /** By bootstrap over questions. */
  readonly ci95: readonly [low: number, high: number];
}

export interface RepeatRow {
  readonly samples: number;
  readonly average: Share;
  readonly majority: Share;
  /** pass@k: an oracle chooses. A bound, never a score. */
  readonly oracle: Share;
  /** All of them are right. */
  readonly worst: Share;
}

/** `questions` holds the samples of each; all have at least as many as the first. */
export function repeatRows(questions: readonly (readonly BenchResult[])[]): RepeatRow[] {
  const right = (own: readonly BenchResult[]) => own.filter(({ correct }) => correct).length;
  return sampleCounts(questions).map((samples) => {
    const over = (value: (own: readonly BenchResult[]) => number): Share => {
      const values = questions.map(value);
      return {
        value: values.reduce((sum, one) => sum + one, 0) / values.length,
        ci95: pairedBootstrap(values),
      };
    };
    return {
      samples,
      average: over((own) => right(own) / own.length),
      majority: over((own) => majorityAccuracy(own, samples)),
      oracle: over((own) => passAtK(own.length, right(own), samples)),
      worst: over((own) => 1 - passAtK(own.length, own.length - right(own), samples)),
    };
  });
}
