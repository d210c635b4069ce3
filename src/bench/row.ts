/** A row of the bench: one method over all questions, its figures and how sure they are. */
import type { RoleSpending } from "../core/ledger.js";
import type { Method } from "../core/method.js";
import type { Role } from "../core/search.js";
import { wilsonInterval } from "../core/wilson-interval.js";
import { acceptanceByPlace, acceptanceOf, type PlaceAcceptance } from "./acceptance.js";
import { type BaselinePool, type EqualCompute, equalCompute } from "./equal-compute.js";
import type { BenchEntry } from "./method-list.js";
import { type PairedDifference, pairedDifference, verdictsByQuestion } from "./paired-difference.js";
import { type PhysicalFacts, type PhysicalFigures, physicalFigures } from "./physical-limit.js";
import type { BenchResult } from "./result.js";
import { type Spending, spendingOf } from "./spending.js";
import { passAtK } from "./statistics.js";

/** The keys up to `acceptance` are the contract of `bench --json`; those after it are additions. */
export interface BenchRow extends PhysicalFigures {
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Share of right answers by the rules that papers use; failed runs count as wrong. */
  readonly accuracy: number;
  /** Wilson's interval. Seeds of one question are not independent, so it counts questions, not runs. */
  readonly ci95: readonly [low: number, high: number];
  /** Over all runs of the row, reading included. */
  readonly flops: number;
  /** Against the row of method `target`, on the same questions; null without one. */
  readonly flopsVsTarget: number | null;
  readonly secondsVsTarget: number | null;
  /** Written tokens, discarded ones too. */
  readonly draftTokens: number;
  readonly targetTokens: number;
  /** Tokens that the reward read. */
  readonly rewardTokens: number;
  /** Share of the draft's rounds whose step was kept; null for a method that does not choose between two writers. */
  readonly acceptance: number | null;

  readonly label: string;
  readonly runs: number;
  readonly failed: number;
  /** By a careful reader's rules. */
  readonly strictAccuracy: number;
  readonly strictCi95: readonly [low: number, high: number];
  /** The papers' account: written tokens only, 2 x parameters each. */
  readonly generatedFlops: number;
  readonly seconds: number;
  readonly tokens: Readonly<Partial<Record<Role, RoleSpending>>>;
  readonly acceptanceByPlace: readonly PlaceAcceptance[];
  /** Of the draft's written tokens, the share that is in the answers. */
  readonly draftTokensKept: number | null;
  /** Of the scored steps that are in the answers; null where none was scored. */
  readonly meanReward: number | null;
  /** Of all scored steps, rejected ones too. */
  readonly meanScoredReward: number | null;
  /** How runs ended, by reason. */
  readonly finishes: Readonly<Record<string, number>>;
  /** Share of runs that saw a right answer, chosen or not: what a perfect chooser would reach. Null where every run saw one answer. */
  readonly oracle: number | null;
  /** The chance that one of k seeds is right, for k = 1 .. number of seeds; null with one seed. */
  readonly passAtK: readonly number[] | null;
  readonly versusTarget: PairedDifference | null;
  /** Plain decoding with the FLOPs of this row; empty unless the bench ran baselines. */
  readonly equalCompute: readonly EqualCompute[];
}

export interface RowContext extends PhysicalFacts {
  /** Of the `target` row, over the same questions. */
  readonly target?: { readonly results: readonly BenchResult[]; readonly spending: Spending } | undefined;
  /** Seeds per question. */
  readonly seeds: number;
  readonly pools: readonly BaselinePool[];
}

export function rowOf(entry: BenchEntry, results: readonly BenchResult[], context: RowContext): BenchRow {
  const spending = spendingOf(results);
  const { target } = context;
  const correct = verdictsByQuestion(results, "correct");
  const strict = verdictsByQuestion(results, "strict");
  const places = choosesWriter(entry.method) ? acceptanceByPlace(results) : [];
  const { draft, target: written, reward } = spending.roles;
  return {
    method: entry.method.name,
    options: entry.options,
    ...share(correct, "accuracy", "ci95"),
    flops: spending.flops,
    flopsVsTarget: target ? ratio(spending.flops, target.spending.flops) : null,
    secondsVsTarget: target ? ratio(spending.seconds, target.spending.seconds) : null,
    draftTokens: draft?.decodeTokens ?? 0,
    targetTokens: written?.decodeTokens ?? 0,
    rewardTokens: reward?.prefillTokens ?? 0,
    acceptance: acceptanceOf(places),
    label: entry.label,
    runs: results.length,
    failed: results.filter(({ finish }) => finish === "failed").length,
    ...share(strict, "strictAccuracy", "strictCi95"),
    generatedFlops: spending.generatedFlops,
    seconds: spending.seconds,
    tokens: spending.roles,
    acceptanceByPlace: places,
    draftTokensKept: draft ? ratio(draft.decodeTokens - draft.discardedTokens, draft.decodeTokens) : null,
    ...rewardsOf(results),
    finishes: countOf(results.map(({ finish }) => finish)),
    oracle: oracleOf(results),
    passAtK: context.seeds > 1 ? passCurve(results, context.seeds) : null,
    versusTarget: target && target.results !== results ? pairedDifference(results, target.results) : null,
    equalCompute: equalCompute(
      spending.flops / Math.max(1, results.length),
      correct,
      context.pools.filter(({ baseline }) => baseline.entry.label !== entry.label),
    ),
    ...physicalFigures(spending, ownFacts(entry, context)),
  };
}

/** What is known of the bench's reward does not hold for an entry with its own. */
function ownFacts({ reward }: BenchEntry, { sizes, rates }: RowContext): PhysicalFacts {
  if (reward === undefined) return { sizes, rates };
  const { reward: _, ...writers } = sizes;
  const { reward: __, ...roles } = rates?.roles ?? {};
  return { sizes: writers, rates: rates && { ...rates, roles } };
}

function choosesWriter({ needs }: Method): boolean {
  return needs.draft !== undefined && needs.target !== undefined;
}

/** Each question counts once, with its mean over the seeds. */
function share<Accuracy extends string, Interval extends string>(
  verdicts: ReadonlyMap<string, number>,
  accuracy: Accuracy,
  interval: Interval,
) {
  const right = [...verdicts.values()].reduce((sum, value) => sum + value, 0);
  return {
    [accuracy]: verdicts.size === 0 ? 0 : right / verdicts.size,
    [interval]: wilsonInterval(right, verdicts.size),
  } as Record<Accuracy, number> & Record<Interval, [number, number]>;
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function rewardsOf(results: readonly BenchResult[]) {
  const steps = results.flatMap((result) => result.steps);
  const kept = steps.map(({ reward }) => reward);
  const rejected = steps.flatMap((step) => step.rejected.map(({ reward }) => reward));
  return { meanReward: mean(kept), meanScoredReward: mean([...kept, ...rejected]) };
}

function mean(values: readonly (number | null)[]): number | null {
  const given = values.filter((value) => value !== null);
  return given.length === 0 ? null : given.reduce((sum, value) => sum + value, 0) / given.length;
}

function countOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function oracleOf(results: readonly BenchResult[]): number | null {
  if (!results.some(({ candidates }) => candidates.seen > 1)) return null;
  return results.filter(({ candidates }) => candidates.right > 0).length / results.length;
}

function passCurve(results: readonly BenchResult[], seeds: number): number[] {
  const correct = [...verdictsByQuestion(results, "correct").values()].map((value) =>
    Math.round(value * seeds),
  );
  return Array.from({ length: seeds }, (_, index) => {
    const chances = correct.map((count) => passAtK(seeds, count, index + 1));
    return chances.length === 0 ? 0 : chances.reduce((sum, chance) => sum + chance, 0) / chances.length;
  });
}
