/** From questions to a reward's file: collect, fit every wanted head, choose one, judge all on questions held out. */
import { setMaxListeners } from "node:events";
import { basename } from "node:path";
import { type Certainty, certainty } from "../../rewards/certainty.js";
import type { HeadFacts } from "../../rewards/head-file.js";
import { needsOf, rolesReading } from "../../rewards/readings/features.js";
import type { StepReadings } from "../../rewards/readings/readings.js";
import { collectTraining, type LabelCost, type StudiedAnswer, type TrainingData } from "./collect.js";
import { encodeHead } from "./encode-head.js";
import {
  type AnswerScores,
  checkedAnswers,
  type Evaluation,
  evaluateScores,
  judgedSteps,
} from "./evaluate.js";
import type { LabelledAnswer } from "./examples.js";
import { bestFirstErrorThreshold } from "./first-error.js";
import { refuseRuleWithoutTarget } from "./refusals.js";
import { type RocPoint, rocCurve } from "./roc.js";
import { chooseThreshold, type ScoredStep, shareBelow } from "./thresholds.js";
import { scoreAnswers, type TrainedHead, trainHead } from "./train-head.js";
import type { RewardTraining, ThresholdRule, ThresholdWish } from "./training.js";

/** One way to score steps, judged on the questions held out. */
export interface JudgedScores {
  /** Of the labels that a head was fitted to; null for a score that nothing was fitted for. */
  readonly labels: string | null;
  /** The head's set of features, or the reward's name. */
  readonly name: string;
  /** Of head. */
  readonly kind: string | null;
  /** Cross-entropy in nats against its own labels, on training questions that it did not see; null likewise. */
  readonly crossValidated: number | null;
  readonly figures: Evaluation;
  readonly roc: readonly RocPoint[];
}

export interface RuleThreshold {
  readonly rule: ThresholdRule;
  readonly value: number;
  /** Share of the draft's tokens, on questions held out, that stand in steps below it. */
  readonly rewritten: number;
}

export interface TrainedReward {
  readonly bytes: Uint8Array;
  readonly facts: Omit<HeadFacts, "features">;
  readonly chosen: JudgedScores;
  readonly heads: readonly JudgedScores[];
  /** Scores that need no training, as far as they were read. */
  readonly baselines: readonly JudgedScores[];
  /** The labels that all are judged by. */
  readonly truth: string;
  readonly questions: { readonly training: number; readonly heldOut: number; readonly repeated: number };
  readonly answers: { readonly training: number; readonly heldOut: number; readonly right: number };
  readonly steps: { readonly training: number; readonly heldOut: number };
  readonly labelCosts: readonly LabelCost[];
  readonly target: TrainingData["target"];
  /** What each rule would have chosen; the file has that of the rule asked for. */
  readonly thresholds: readonly RuleThreshold[];
}

export async function trainReward(asked: RewardTraining): Promise<TrainedReward> {
  refuseRuleWithoutTarget(asked);
  const work = { ...asked, signal: manyListeners(asked.signal) };
  const data = await collectTraining(work);
  const judge = judgeOf(data);
  const heads: { readonly head: TrainedHead; readonly judged: JudgedScores }[] = [];
  const count = data.sources.length * work.features.length;
  for (const labels of data.sources) {
    for (const { name, features } of work.features) {
      const stage = `head ${heads.length + 1} of ${count}: ${labels} on ${name}`;
      const head = await trainHead({
        answers: labelled(data, data.training, labels),
        ...{ features, kind: work.kind, calibration: work.calibration, seed: work.seed },
        signal: work.signal,
        onProgress: (done) => work.onProgress?.({ stage, done, of: 1 }),
      });
      const judged = judge({ labels, name, kind: head.kind }, head.crossValidated, (answers) =>
        scoreAnswers(head, answers),
      );
      heads.push({ head, judged: { ...judged, crossValidated: head.figures.crossEntropy } });
    }
  }
  const { head, judged: chosen } = heads
    .slice(0, work.features.length)
    .reduce((best, one) => (one.judged.crossValidated! < best.judged.crossValidated! ? one : best));
  const [used] = data.sources as [string];
  const thresholds = thresholdsOf(
    work.threshold,
    data,
    scoredSteps(head.crossValidated, labelled(data, data.training, used)),
  );
  const threshold = thresholds.find(({ rule }) => rule === work.threshold.rule)!;
  const heldOut = labelled(data, data.heldOut, data.truth);
  const unseen = scoredSteps(scoreAnswers(head, heldOut), heldOut);
  const told = {
    ...{ chosen, truth: data.truth, target: data.target, labelCosts: data.labelCosts },
    heads: heads.map(({ judged }) => judged),
    baselines: baselines(work, data).map(({ name, score }) => {
      const all = (answers: readonly LabelledAnswer[]) =>
        answers.map(({ readings }) => readings.map((one) => score(one)));
      const training = all(labelled(data, data.training, data.truth));
      return judge({ labels: null, name, kind: null }, training, all);
    }),
    questions: {
      training: data.split.training.length,
      heldOut: data.split.heldOut.length,
      repeated: data.split.repeated,
    },
    answers: {
      training: data.training.length,
      heldOut: data.heldOut.length,
      right: mean(data.training.map(({ answer }) => Number(answer.right))),
    },
    steps: { training: stepCount(data.training), heldOut: stepCount(data.heldOut) },
    thresholds: thresholds.map(({ rule, value }) => ({ rule, value, rewritten: shareBelow(unseen, value) })),
  };
  const facts = { ...factsOf(work, head), threshold, record: recordOf(work, told) };
  return { bytes: encodeHead(head, facts), facts, ...told };
}

/** Every call in flight listens to it: eleven of them are no leak. */
function manyListeners(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (!signal) return undefined;
  const own = AbortSignal.any([signal]);
  setMaxListeners(0, own);
  return own;
}

/** One for each rule that can be followed. */
function thresholdsOf(
  { share }: ThresholdWish,
  { target, training }: TrainingData,
  steps: readonly ScoredStep[],
) {
  const answerTokens = training.map(({ answer }) => answer.tokens);
  const budget = chooseThreshold({ rule: "budget", share }, steps, answerTokens);
  if (target === null) return [budget];
  const targetMean = mean(target.labels);
  // What is better than the target's own steps is not to be rewritten, whatever may be spent.
  return [
    { ...budget, value: Math.min(budget.value, targetMean) },
    chooseThreshold({ rule: "target-mean", targetMean }, steps, answerTokens),
    chooseThreshold({ rule: "best", targetMean }, steps, answerTokens),
  ];
}

/** Scores answers held out, finds first errors by a threshold of the training answers, and compares with the truth. */
function judgeOf(data: TrainingData) {
  const training = labelled(data, data.training, data.truth);
  const heldOut = labelled(data, data.heldOut, data.truth);
  // Where all steps of an answer have one label, its outcome, nobody knows where it first went wrong.
  const knowsSteps = heldOut.some(({ labels }) => new Set(labels).size > 1);
  return (
    names: Pick<JudgedScores, "labels" | "name" | "kind">,
    onTraining: AnswerScores,
    score: (answers: readonly LabelledAnswer[]) => AnswerScores,
  ): JudgedScores => {
    const scores = score(heldOut);
    const firstErrorThreshold = knowsSteps
      ? bestFirstErrorThreshold(checkedAnswers(onTraining, training))
      : undefined;
    return {
      ...{ ...names, crossValidated: null, roc: rocCurve(judgedSteps(scores, heldOut)) },
      figures: evaluateScores(scores, heldOut, { firstErrorThreshold }),
    };
  };
}

function labelled(data: TrainingData, answers: readonly StudiedAnswer[], source: string): LabelledAnswer[] {
  return answers.map(({ answer, readings }) => ({
    ...{ question: answer.question, sample: answer.sample, right: answer.right },
    ...{ readings, labels: data.labelsOf(source, answer) },
  }));
}

/** Steps that have both a score and a label. */
function scoredSteps(scores: AnswerScores, answers: readonly LabelledAnswer[]): ScoredStep[] {
  return answers.flatMap(({ labels, readings }, answer) =>
    labels.flatMap((label, step) => {
      const score = scores[answer]![step] ?? null;
      if (label === null || score === null) return [];
      return [{ score, label, tokens: readings[step]!.step.tokens.length }];
    }),
  );
}

const baselineFeatures = ["least", "mean"] as const satisfies readonly Certainty[];

/** Rewards that are there without training, in the words of their references. */
function baselines({ features }: RewardTraining, { training }: TrainingData) {
  const { likelihoods, typicals, judges } = needsOf(features.flatMap((set) => set.features));
  const hasFigures = training.every(({ answer }) =>
    answer.steps.every(({ logprobs }) => logprobs.length > 0),
  );
  const found: { readonly name: string; score(readings: StepReadings): number }[] = [];
  for (const feature of baselineFeatures) {
    const option = feature === "least" ? "" : `?feature=${feature}`;
    if (hasFigures)
      found.push({ name: `confidence${option}`, score: ({ step }) => certainty(feature, step) });
    for (const role of likelihoods) {
      found.push({
        name: `likelihood:${role}${option}`,
        score: (readings) => certainty(feature, { logprobs: readings.likelihoods[role]!, entropies: [] }),
      });
    }
  }
  for (const role of typicals) {
    found.push({
      name: `likelihood:${role}?feature=typical`,
      score: (readings) => Math.exp(readings.typicals[role]!),
    });
  }
  for (const role of judges) {
    found.push({ name: `judge:${role}`, score: (readings) => readings.judges[role]! });
  }
  return found;
}

function factsOf({ draft, target, splitterName }: RewardTraining, { features }: TrainedHead) {
  return {
    draft: draft.fingerprint,
    ...(rolesReading(features).has("target") && target && { target: target.fingerprint }),
    splitter: splitterName,
  };
}

/** Nothing that a clock says: the same training gives the same file. */
function recordOf(
  { task, draft, target, labels, seed, samples, temperature, calibration, kind }: RewardTraining,
  { chosen, truth, questions, answers, steps }: Omit<TrainedReward, "bytes" | "facts">,
): HeadFacts["record"] {
  const { figures } = chosen;
  return JSON.parse(
    JSON.stringify({
      task: basename(task.name),
      draft: draft.name,
      target: target?.name,
      ...{ questions, answers, steps, samples, temperature, seed },
      labels: { source: labels[0].source.name, options: labels[0].options },
      head: { features: chosen.name, kind: chosen.kind, wanted: kind, calibration },
      heldOut: {
        ...{ truth, auroc: figures.steps?.auroc, aurocCi95: figures.steps?.aurocCi95 },
        ...{ calibrationError: figures.steps?.calibrationError, firstError: figures.firstError },
      },
    }),
  );
}

function stepCount(answers: readonly StudiedAnswer[]): number {
  return answers.reduce((sum, { answer }) => sum + answer.steps.length, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
