/** What plain decoding reaches with the FLOPs that a method spent: without it a gain may just be more compute. */
import { type ModelSize, spanFlops } from "../core/model.js";
import type { Writer } from "../core/search.js";
import { wilsonInterval } from "../core/wilson-interval.js";
import type { Baseline } from "./baselines.js";
import { majorityAccuracy } from "./majority.js";
import { differenceOf, type PairedDifference, verdictsByQuestion } from "./paired-difference.js";
import type { BenchResult } from "./result.js";

export interface EqualCompute {
  readonly writer: Writer;
  readonly kind: Baseline["kind"];
  /** Answers voted over: as many as the method's FLOPs pay for; 0 where they do not pay for one. */
  readonly samples: number;
  /** True where the method's FLOPs would have paid for more samples than were drawn. */
  readonly isLimited: boolean;
  /** The baseline's FLOPs against the method's. */
  readonly flopsRatio: number;
  /** Null where not one sample is paid for. */
  readonly accuracy: number | null;
  readonly ci95: readonly [low: number, high: number] | null;
  /** The method less the baseline, question by question. */
  readonly difference: PairedDifference | null;
}

/** A baseline's results over the bench's questions, and what one answer of it costs. */
export interface BaselinePool {
  readonly baseline: Baseline;
  readonly results: readonly BenchResult[];
  /** FLOPs per question of reading the prompt, which samples share, and of the rest, which they do not. */
  readonly promptFlops: number;
  readonly answerFlops: number;
  /** By number of samples, the expected verdict of each question. */
  readonly votes: Map<number, ReadonlyMap<string, number>>;
}

export function poolOf(
  baseline: Baseline,
  results: readonly BenchResult[],
  size: ModelSize | undefined,
): BaselinePool {
  const runs = Math.max(1, results.length);
  const flops = results.reduce((sum, { ledger }) => sum + ledger.total.flops, 0) / runs;
  const prompt = (result: BenchResult) => result.ledger[baseline.writer]?.read.prompt ?? 0;
  // Without the model's size the prompt counts for every sample: the baseline then gets fewer of them.
  const promptFlops = size
    ? results.reduce((sum, result) => sum + spanFlops(size, 0, prompt(result)), 0) / runs
    : 0;
  return { baseline, results, promptFlops, answerFlops: flops - promptFlops, votes: new Map() };
}

/** Samples differ in length: a baseline may cost so much more, or a method would not afford its own equal. */
const tolerance = 1.05;

/** `flops` are the method's, per run. */
export function equalCompute(
  flops: number,
  verdicts: ReadonlyMap<string, number>,
  pools: readonly BaselinePool[],
): EqualCompute[] {
  return pools.map((pool) => {
    const { baseline, promptFlops, answerFlops } = pool;
    const { writer, kind } = baseline;
    const paid = kind === "greedy" ? 1 : Math.floor((tolerance * flops - promptFlops) / answerFlops);
    const samples = Math.max(0, Math.min(paid, baseline.samples));
    const common = { writer, kind, samples, isLimited: paid > baseline.samples };
    const flopsRatio = flops > 0 ? (promptFlops + samples * answerFlops) / flops : 0;
    if (samples === 0) return { ...common, flopsRatio: 0, accuracy: null, ci95: null, difference: null };
    const theirs = votesOf(pool, samples);
    const right = [...theirs.values()].reduce((sum, share) => sum + share, 0);
    return {
      ...common,
      flopsRatio,
      accuracy: theirs.size === 0 ? 0 : right / theirs.size,
      ci95: wilsonInterval(right, theirs.size),
      difference: differenceOf(verdicts, theirs),
    };
  });
}

/** By question, the chance that the vote over so many samples is right. */
function votesOf({ results, votes }: BaselinePool, samples: number): ReadonlyMap<string, number> {
  const known = votes.get(samples);
  if (known) return known;
  const found = new Map<string, number>();
  for (const question of verdictsByQuestion(results, "correct").keys()) {
    const own = results.filter((result) => result.question === question);
    found.set(question, majorityAccuracy(own, samples));
  }
  votes.set(samples, found);
  return found;
}
