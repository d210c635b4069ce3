/**
 * Chooses a policy from measurements: questions into bins of equal size by estimated success, and for each bin the
 * strategy that was right most often there. Source: Snell et al., arXiv 2408.03314, section 3.2.
 */
import { StepwrightError } from "../../core/errors.js";
import { type Policy, type Strategy, strategyFor } from "./policy.js";

/** One question with what every strategy made of it. */
export interface FittingQuestion {
  readonly id: string;
  /** In [0, 1]: the mean final reward of its probes, or its solve rate. */
  readonly estimate: number;
  /** By strategy, in the order of the strategies. */
  readonly outcomes: readonly Outcome[];
}

export interface Outcome {
  /** Share of seeds that were right, in [0, 1]. */
  readonly correct: number;
  /** In any unit, the same for all. */
  readonly cost: number;
}

export interface FitOptions {
  /** Default 5, as in the paper. */
  readonly bins?: number;
  /** Strategies whose mean cost in a bin exceeds it are not chosen there. Default: no limit. */
  readonly costLimit?: number;
}

/** Throws `invalid-option` where there are fewer questions than bins, or no strategy within the limit. */
export function fitPolicy(
  strategies: readonly Strategy[],
  questions: readonly FittingQuestion[],
  { bins = 5, costLimit = Number.POSITIVE_INFINITY }: FitOptions = {},
): Policy {
  if (questions.length < bins || strategies.length === 0) {
    throw invalid(
      `${questions.length} questions and ${strategies.length} strategies are too few for ${bins} bins`,
    );
  }
  const ranked = [...questions].sort((a, b) => b.estimate - a.estimate);
  const policy: { from: number; strategy: Strategy }[] = [];
  for (const members of equalEstimatesTogether(ranked, bins)) {
    const best = bestStrategy(members, costLimit);
    if (best < 0) throw invalid(`no strategy costs ${costLimit} or less`);
    policy.push({ from: members.at(-1)!.estimate, strategy: strategies[best]! });
  }
  policy[policy.length - 1]!.from = 0;
  return policy;
}

/** Mean outcome of a policy, or of one strategy for all: the index of a strategy is a policy of one bin. */
export function outcomeOf(
  policy: Policy,
  strategies: readonly Strategy[],
  questions: readonly FittingQuestion[],
): Outcome {
  const outcomes = questions.map(
    ({ estimate, outcomes }) => outcomes[strategies.indexOf(strategyFor(policy, estimate))]!,
  );
  return meanOutcome(outcomes);
}

/** The policy of each half on the other half: what it is worth on questions that it was not fitted to. */
export function twoFold(
  strategies: readonly Strategy[],
  questions: readonly FittingQuestion[],
  options: FitOptions = {},
): Outcome {
  const halves = [0, 1].map((side) => questions.filter((_, index) => index % 2 === side));
  const sides = halves.map((half, side) => {
    const policy = fitPolicy(strategies, half, options);
    const others = halves[1 - side]!;
    return { ...outcomeOf(policy, strategies, others), weight: others.length };
  });
  const total = sides.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (of: "correct" | "cost") =>
    sides.reduce((sum, side) => sum + side[of] * side.weight, 0) / total;
  return { correct: mean("correct"), cost: mean("cost") };
}

/** About equal groups of neighbours in rank; equal estimates fall into one, since no policy can tell them apart. */
function equalEstimatesTogether(ranked: readonly FittingQuestion[], bins: number): FittingQuestion[][] {
  const groups: FittingQuestion[][] = [];
  for (const [index, question] of ranked.entries()) {
    const bin = Math.floor((index * bins) / ranked.length);
    const isNew = index === 0 || bin > Math.floor(((index - 1) * bins) / ranked.length);
    const last = groups.at(-1);
    if (!last || (isNew && last.at(-1)!.estimate > question.estimate)) groups.push([question]);
    else last.push(question);
  }
  return groups;
}

/** Right most often within the limit, of equals the cheaper; -1 if none is within it. */
function bestStrategy(questions: readonly FittingQuestion[], costLimit: number): number {
  let best = -1;
  let found: Outcome | undefined;
  for (const index of questions[0]!.outcomes.keys()) {
    const outcome = meanOutcome(questions.map(({ outcomes }) => outcomes[index]!));
    if (outcome.cost > costLimit) continue;
    const isBetter =
      !found ||
      outcome.correct > found.correct ||
      (outcome.correct === found.correct && outcome.cost < found.cost);
    if (isBetter) [best, found] = [index, outcome];
  }
  return best;
}

function meanOutcome(outcomes: readonly Outcome[]): Outcome {
  const mean = (of: "correct" | "cost") =>
    outcomes.reduce((sum, outcome) => sum + outcome[of], 0) / outcomes.length;
  return { correct: mean("correct"), cost: mean("cost") };
}

function invalid(problem: string): StepwrightError {
  return new StepwrightError("invalid-option", `policy: ${problem}`, { subject: "policy" });
}
