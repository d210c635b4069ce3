/** What the questions of a task are like, as far as costs depend on it. Measured in a pilot, or assumed. */
import type { RewardAdvice } from "../../core/reward.js";
import type { Writer } from "../../core/search.js";
import type { TaskQuestion } from "../../tasks/task.js";
import type { BenchResult, SeenStep } from "../result.js";

export interface WriterHabits {
  /** Tokens of the prompt in this model's tokens. */
  readonly promptTokens: number;
  /** Steps of an answer, and tokens of a step. */
  readonly steps: number;
  readonly stepTokens: number;
}

export interface Workload {
  readonly draft: WriterHabits;
  readonly target: WriterHabits;
  /** Tokens that a reward reads beside the steps: the question and its own frame. */
  readonly rewardPromptTokens: number;
  /** Rewards of the draft's steps: an answer of a pilot each, place by place, so that refusals cluster as they did. */
  readonly rewards: readonly (readonly number[])[];
  /** False where nothing is known of places: a reward is then drawn from all of them. */
  readonly isByPlace: boolean;
  /** The threshold at which the reward keeps as many of the draft's steps as assumed, or as in the pilot. */
  readonly advice: RewardAdvice;
  /** Where it comes from, in words. */
  readonly source: string;
}

export interface AssumedWorkload {
  readonly promptTokens: number;
  readonly steps: number;
  readonly stepTokens: number;
  /** Share of draft steps that the reward passes. */
  readonly acceptance: number;
}

/** Rewards are 1 for a passed step and 0 for another, so that any threshold keeps the assumed share. */
export function assumedWorkload({ promptTokens, steps, stepTokens, acceptance }: AssumedWorkload): Workload {
  const habits = { promptTokens, steps, stepTokens };
  const passed = Math.round(acceptance * 1000);
  const rewards = Array.from({ length: 1000 }, (_, index) => (index < passed ? 1 : 0));
  return {
    draft: habits,
    target: habits,
    rewardPromptTokens: promptTokens,
    rewards: [rewards],
    isByPlace: false,
    advice: adviceFor(rewards, passed / 1000, habits),
    source: `assumed: ${round(promptTokens)} prompt tokens, ${round(steps)} steps of ${round(stepTokens)}, ${(acceptance * 100).toFixed(0)} % of draft steps kept`,
  };
}

/** English prose and sums; models with other vocabularies differ. */
const charactersPerToken = 3.8;
/** A chat template and the usual system message. */
const frameTokens = 45;

/** As far as the questions tell: their length, and their worked solutions where they have some. */
export function questionFigures(
  questions: readonly TaskQuestion[],
): Pick<AssumedWorkload, "promptTokens"> & Partial<AssumedWorkload> {
  const promptTokens =
    mean(questions.map(({ question }) => question.length)) / charactersPerToken + frameTokens;
  const solutions = questions.flatMap(({ steps }) => (steps && steps.length > 0 ? [steps] : []));
  if (solutions.length === 0) return { promptTokens };
  const characters = solutions.flat().map((step) => step.length);
  return {
    promptTokens,
    steps: mean(solutions.map((steps) => steps.length)),
    stepTokens: Math.max(1, mean(characters) / charactersPerToken),
  };
}

/** From the results of a pilot. What it does not show is taken from what is assumed. */
export function measuredWorkload(
  results: readonly BenchResult[],
  assumed: AssumedWorkload,
  source: string,
): Workload {
  const finished = results.filter(({ finish }) => finish !== "failed");
  const fallback = assumedWorkload(assumed);
  const rewards = finished.map(draftRewards).filter((own) => own.length > 0);
  const frames = finished.flatMap((result) => rewardFrame(result) ?? []);
  const draft = habitsOf("draft", finished, fallback.draft);
  return {
    draft,
    target: habitsOf("target", finished, fallback.target),
    rewardPromptTokens: frames.length > 0 ? mean(frames) : fallback.rewardPromptTokens,
    rewards: rewards.length > 0 ? rewards : fallback.rewards,
    isByPlace: rewards.length > 0,
    advice: rewards.length > 0 ? adviceFor(rewards.flat(), keptShare(finished), draft) : fallback.advice,
    source,
  };
}

/** Answers that one model wrote alone show its habits best; where there are none, all answers do. */
function habitsOf(writer: Writer, results: readonly BenchResult[], fallback: WriterHabits): WriterHabits {
  const prompts = results.flatMap(({ ledger }) => ledger[writer]?.read.prompt || []);
  const alone = results.filter(
    ({ steps }) => steps.length > 0 && steps.every(({ origin }) => origin === writer),
  );
  const shown = alone.length > 0 ? alone : results.filter(({ steps }) => steps.length > 0);
  if (shown.length === 0) return fallback;
  const steps = mean(shown.map((result) => result.steps.length));
  const tokens = mean(shown.map((result) => result.steps.reduce((sum, step) => sum + step.tokens, 0)));
  return {
    promptTokens: prompts.length > 0 ? mean(prompts) : fallback.promptTokens,
    steps,
    stepTokens: tokens / steps,
  };
}

/** What the draft's step got at each place of the answer, kept or not. */
function draftRewards({ steps }: BenchResult): number[] {
  return steps.flatMap((step) => {
    const drafted = [...step.rejected, step].find(isScoredDraft);
    return drafted?.reward ?? [];
  });
}

function adviceFor(
  rewards: readonly number[],
  kept: number,
  { steps, stepTokens }: WriterHabits,
): RewardAdvice {
  const sorted = rewards.toSorted((one, other) => one - other);
  const last = sorted.length - 1;
  return {
    // Above all rewards nothing is kept.
    threshold: sorted[Math.round((1 - kept) * sorted.length)] ?? 2,
    shares: Array.from({ length: 33 }, (_, index) => sorted[Math.round((index / 32) * last)]!),
    lengths: Array.from({ length: 33 }, () => steps * stepTokens),
  };
}

/** Of the places where the draft's step was scored, those where one of its steps stands in the answer. */
function keptShare(results: readonly BenchResult[]): number {
  const scored = results
    .flatMap(({ steps }) => steps)
    .filter((step) => [...step.rejected, step].some(isScoredDraft));
  return scored.filter(({ origin }) => origin === "draft").length / scored.length;
}

function isScoredDraft({ origin, reward }: SeenStep): boolean {
  return origin === "draft" && reward !== null;
}

/** Undefined where the reward read nothing. */
function rewardFrame({ steps, ledger: { reward } }: BenchResult): number | undefined {
  if (!reward || reward.prefillTokens === 0) return undefined;
  const isScored = ({ reward: value }: SeenStep) => value !== null;
  const read = steps.flatMap((step) => [step, ...step.rejected]).filter(isScored);
  return Math.max(0, reward.prefillTokens - read.reduce((sum, { tokens }) => sum + tokens, 0));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
