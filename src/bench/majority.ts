/** What a majority vote over k of the drawn samples would be worth. */
import { generator } from "../core/generator.js";

export interface Vote {
  /** As the grader extracted it; "" for none, which is no vote. */
  readonly answer: string;
  readonly correct: boolean;
}

/** Up to so many subsets are gone through one by one; above it, as many are drawn. */
const mostSubsets = 2000;

/**
 * The chance that the most frequent answer among k of these samples, drawn without replacement, is right; ties are
 * broken by an even draw, counted in expectation. Exact while there are few subsets, else the mean over 2,000 drawn
 * ones, the same ones every time.
 * Source: card inference-time-scaling-complex-tasks, "Parallel protocol".
 */
export function majorityAccuracy(samples: readonly Vote[], k: number): number {
  if (k < 1 || k > samples.length) return Number.NaN;
  const total = choose(samples.length, k);
  let sum = 0;
  let count = 0;
  for (const subset of total <= mostSubsets ? subsets(samples.length, k) : drawn(samples.length, k)) {
    sum += voteOf(subset.map((index) => samples[index]!));
    count++;
  }
  return sum / count;
}

/** One vote: 1 or 0, or in between where a tie, or one answer's verdicts, are split. */
function voteOf(votes: readonly Vote[]): number {
  const counts = new Map<string, { votes: number; right: number }>();
  for (const { answer, correct } of votes) {
    if (answer === "") continue;
    const count = counts.get(answer) ?? { votes: 0, right: 0 };
    count.votes++;
    if (correct) count.right++;
    counts.set(answer, count);
  }
  const most = Math.max(0, ...[...counts.values()].map((count) => count.votes));
  const winners = [...counts.values()].filter((count) => count.votes === most);
  return winners.length === 0
    ? 0
    : winners.reduce((sum, winner) => sum + winner.right / winner.votes, 0) / winners.length;
}

function choose(n: number, k: number): number {
  let count = 1;
  for (let index = 1; index <= k; index++) count = (count * (n - k + index)) / index;
  return Math.round(count);
}

function* subsets(n: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) yield [];
  for (let first = from; k > 0 && first <= n - k; first++) {
    for (const rest of subsets(n, k - 1, first + 1)) yield [first, ...rest];
  }
}

function* drawn(n: number, k: number): Generator<number[]> {
  const random = generator("majority");
  for (let round = 0; round < mostSubsets; round++) {
    const indices = Array.from({ length: n }, (_, index) => index);
    for (let place = 0; place < k; place++) {
      const other = place + Math.floor(random() * (n - place));
      [indices[place], indices[other]] = [indices[other]!, indices[place]!];
    }
    yield indices.slice(0, k);
  }
}
