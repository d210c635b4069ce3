/** One method against another on the same questions. */
import { pairedBootstrap } from "./paired-bootstrap.js";
import type { BenchResult } from "./result.js";
import { mcnemarExact } from "./statistics.js";

export interface PairedDifference {
  /** Accuracy of the one less that of the other. */
  readonly difference: number;
  /** By the paired bootstrap over questions. */
  readonly ci95: readonly [low: number, high: number];
  /** Questions on which the one is better, and on which it is worse. */
  readonly better: number;
  readonly worse: number;
  /** McNemar's exact test, two-sided. With several seeds a question counts once, by its mean: a sign test. */
  readonly p: number;
}

/** By question, the share of its runs with this verdict. */
export function verdictsByQuestion(
  results: readonly BenchResult[],
  verdict: "correct" | "strict",
): Map<string, number> {
  const sums = new Map<string, { right: number; runs: number }>();
  for (const result of results) {
    const sum = sums.get(result.question) ?? { right: 0, runs: 0 };
    sum.runs++;
    if (result[verdict]) sum.right++;
    sums.set(result.question, sum);
  }
  return new Map([...sums].map(([question, { right, runs }]) => [question, right / runs]));
}

/** Over the questions that both have answered. */
export function pairedDifference(
  one: readonly BenchResult[],
  other: readonly BenchResult[],
): PairedDifference {
  return differenceOf(verdictsByQuestion(one, "correct"), verdictsByQuestion(other, "correct"));
}

/** The same of shares by question. */
export function differenceOf(
  ours: ReadonlyMap<string, number>,
  theirs: ReadonlyMap<string, number>,
): PairedDifference {
  const differences = [...ours].flatMap(([question, share]) => {
    const their = theirs.get(question);
    return their === undefined ? [] : [share - their];
  });
  const better = differences.filter((difference) => difference > 0).length;
  const worse = differences.filter((difference) => difference < 0).length;
  const sum = differences.reduce((total, difference) => total + difference, 0);
  return {
    difference: differences.length === 0 ? 0 : sum / differences.length,
    ci95: pairedBootstrap(differences),
    better,
    worse,
    p: mcnemarExact(better, worse),
  };
}
