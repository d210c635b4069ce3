/** From labelled answers to a head: kind and strength by cross-validation over questions, then calibration. */
import { StepwrightError } from "../../core/errors.js";
import { type CalibrationTable, calibrated } from "../../rewards/calibration-table.js";
import { sigmoid } from "../../rewards/law.js";
import { type FeatureName, featuresOf, isState } from "../../rewards/readings/features.js";
import type { StepReadings } from "../../rewards/readings/readings.js";
import { type Calibration, isotonicTable, rescalingOf } from "./calibrate.js";
import { type AnswerScores, checkedAnswers, type Evaluation, evaluateScores } from "./evaluate.js";
import { type Examples, examplesOf, type LabelledAnswer } from "./examples.js";
import { bestFirstErrorThreshold } from "./first-error.js";
import { groupedFolds } from "./folds.js";
import type { CrossValidated, HeadTrainer } from "./head-trainer.js";
import { linearHead } from "./linear-head.js";
import { mlpHead } from "./mlp-head.js";
import { logOdds, type Network, rescaled } from "./network.js";

export const headTrainers: readonly HeadTrainer[] = [linearHead, mlpHead];
export const headKinds = ["linear", "mlp", "best"] as const;
export type HeadKind = (typeof headKinds)[number];

export interface HeadTraining {
  readonly answers: readonly LabelledAnswer[];
  readonly features: readonly FeatureName[];
  /** `best` trains each kind and takes the one of the least cross-validated loss. */
  readonly kind?: HeadKind;
  readonly calibration?: Calibration;
  readonly seed?: number;
  /** Folds of the cross-validation; no question is in two. */
  readonly folds?: number;
  readonly signal?: AbortSignal | undefined;
  /** How much is done, in [0, 1]. */
  onProgress?(share: number): void;
}

export interface TrainedHead {
  readonly kind: string;
  readonly features: readonly FeatureName[];
  /** All scales folded in: takes features as they are read. */
  readonly network: Network;
  readonly calibration?: CalibrationTable;
  /** Mean of each input over the rows. */
  readonly means: Float32Array;
  /** What cross-validation chose, as `{ ridge: 300 }`. */
  readonly chosen: Readonly<Record<string, number>>;
  /** Rows that it learned from. */
  readonly rows: number;
  /**
   * Of the training answers' labelled steps, each by a head that saw no answer to its question; calibrated, on all of them
   * together.
   */
  readonly crossValidated: AnswerScores;
  /** Of these scores, with the threshold at which they find the most first errors. */
  readonly figures: Evaluation;
  /** In [0, 1], bit for bit as the reward scores. */
  score(readings: StepReadings): number;
}

const fewestQuestions = 4;
/** One is left when the other is held out. */
const fewestOfAKind = 2;

/** Throws `invalid-option` where questions are too few, or labels all alike. Deterministic by its seed. */
export async function trainHead(training: HeadTraining): Promise<TrainedHead> {
  const { answers, features, kind = "linear", calibration = "temperature", seed = 0 } = training;
  const examples = examplesOf(answers, features);
  refuseFew(examples);
  const trainers = headTrainers.filter((trainer) => kind === "best" || trainer.kind === kind);
  const data = {
    ...{ examples, seed, signal: training.signal, ofState: ofState(answers, features) },
    folds: groupedFolds(examples.groups, examples.labels, training.folds ?? 5, seed),
  };
  const found: (CrossValidated & { kind: string; meaning: Meaning })[] = [];
  for (const [index, trainer] of trainers.entries()) {
    const result = await trainer.train({
      ...data,
      onProgress: (share) => training.onProgress?.((index + share) / trainers.length),
    });
    found.push({ ...result, kind: trainer.kind, meaning: meaningOf(result, examples, calibration) });
  }
  const best = found.reduce((one, other) => (other.loss < one.loss ? other : one));
  const { scale, shift, table } = best.meaning;
  const network = rescaled(best.network, scale, shift);
  const scoreOf = (odds: number) => (table ? calibrated(table, sigmoid(odds)) : sigmoid(odds));
  const crossValidated = inAnswers(
    answers,
    best.outOfFold.map((odds) => scoreOf(Math.fround(scale * odds + shift))),
  );
  return {
    ...{ kind: best.kind, features, network, chosen: best.chosen, rows: examples.rows.length },
    ...(table && { calibration: table }),
    ...{ means: meansOf(examples), crossValidated },
    figures: evaluateScores(crossValidated, answers, {
      firstErrorThreshold: bestFirstErrorThreshold(checkedAnswers(crossValidated, answers)),
    }),
    score: (readings) => scoreOf(logOdds(network, featuresOf(features, readings))),
  };
}

function refuseFew({ groups, labels }: Examples): void {
  const questions = (matters: (label: number) => boolean) =>
    new Set(groups.filter((_, row) => matters(labels[row]!))).size;
  const counts = {
    "have labels": [questions(() => true), fewestQuestions],
    "have right steps": [questions((label) => label > 0), fewestOfAKind],
    "have wrong steps": [questions((label) => label < 1), fewestOfAKind],
  } as const;
  for (const [what, [count, least]] of Object.entries(counts)) {
    if (count >= least) continue;
    throw new StepwrightError("invalid-option", `${count} questions ${what}: too few to train a head`, {
      remedy: `take at least ${least} of them, better some hundreds`,
    });
  }
}

/** On answers to other questions than it was trained on. */
export function evaluateHead(head: TrainedHead, answers: readonly LabelledAnswer[]): Evaluation {
  return evaluateScores(scoreAnswers(head, answers), answers, {
    firstErrorThreshold: head.figures.firstError?.threshold,
  });
}

/** One score per step, labelled or not. */
export function scoreAnswers(head: TrainedHead, answers: readonly LabelledAnswer[]): number[][] {
  return answers.map(({ readings }) => readings.map((one) => head.score(one)));
}

/** What turns a head's log-odds into a chance that can be believed. */
interface Meaning {
  readonly scale: number;
  readonly shift: number;
  readonly table?: CalibrationTable;
}

function meaningOf({ outOfFold }: CrossValidated, { labels }: Examples, calibration: Calibration): Meaning {
  if (calibration === "none") return { scale: 1, shift: 0 };
  const rescaling = rescalingOf(outOfFold, labels);
  if (calibration === "temperature") return rescaling;
  const chances = outOfFold.map((odds) => sigmoid(rescaling.scale * odds + rescaling.shift));
  return { ...rescaling, table: isotonicTable(chances, labels) };
}

/** Back from rows to answers and their steps. */
function inAnswers(answers: readonly LabelledAnswer[], scores: Float64Array): AnswerScores {
  let row = 0;
  return answers.map(({ labels }) => labels.map((label) => (label === null ? null : scores[row++]!)));
}

function ofState(answers: readonly LabelledAnswer[], features: readonly FeatureName[]): boolean[] {
  const readings = answers.find((answer) => answer.readings.length > 0)!.readings[0]!;
  return features.flatMap((name) =>
    new Array<boolean>(featuresOf([name], readings).length).fill(isState(name)),
  );
}

function meansOf({ rows }: Examples): Float32Array {
  const sums = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let at = 0; at < sums.length; at++) sums[at]! += row[at]!;
  return Float32Array.from(sums, (sum) => sum / rows.length);
}
