/** How good scores of steps are, on answers that nothing was chosen by. */
import { crossEntropy } from "../../core/logistic-regression.js";
import { auroc, type Judged, type Reliability, reliability } from "../../core/reliability.js";
import { type Aggregation, aggregate, aggregations } from "../../core/reward.js";
import type { LabelledAnswer } from "./examples.js";
import { type CheckedAnswer, type FirstErrorFigures, firstErrorFigures } from "./first-error.js";

/** One score per step of each answer, in [0, 1]; null where there is none. */
export type AnswerScores = readonly (readonly (number | null)[])[];

export interface Evaluation {
  /** Of the steps with a label; a step is right when its label is at least one half. */
  readonly steps: Reliability | null;
  /** Mean over these steps against their labels, in nats. */
  readonly crossEntropy: number | null;
  readonly firstError: FirstErrorFigures | null;
  /** How well one number for a whole answer tells right answers from wrong ones. */
  readonly answers: Readonly<Record<Aggregation, number | null>>;
}

export interface EvaluationOptions {
  /** Chosen on other answers; without it there are no figures of first errors. */
  readonly firstErrorThreshold?: number | null | undefined;
}

export function evaluateScores(
  scores: AnswerScores,
  answers: readonly LabelledAnswer[],
  { firstErrorThreshold }: EvaluationOptions = {},
): Evaluation {
  const judged = judgedSteps(scores, answers);
  const checked = firstErrorThreshold == null ? [] : checkedAnswers(scores, answers);
  return {
    steps: judged.length > 0 ? reliability(judged) : null,
    crossEntropy: lossOf(judged),
    firstError: firstErrorThreshold == null ? null : firstErrorFigures(checked, firstErrorThreshold),
    answers: Object.fromEntries(
      aggregations.map((kind) => [kind, auroc(wholeAnswers(scores, answers, kind))]),
    ) as Record<Aggregation, number | null>,
  };
}

/** The answers all of whose steps up to the first wrong one have a score and a label; later ones are left out. */
export function checkedAnswers(scores: AnswerScores, answers: readonly LabelledAnswer[]): CheckedAnswer[] {
  return answers.flatMap((answer, index) => {
    const firstWrong = answer.labels.findIndex((label) => label !== null && label < 0.5);
    const end = firstWrong < 0 ? answer.labels.length : firstWrong + 1;
    const [own, labels] = [scores[index]!.slice(0, end), answer.labels.slice(0, end)];
    if (own.includes(null) || labels.includes(null) || labels.length === 0) return [];
    return [{ scores: own as number[], labels: labels as number[] }];
  });
}

/** The steps that have both a score and a label. */
export function judgedSteps(scores: AnswerScores, answers: readonly LabelledAnswer[]): Required<Judged>[] {
  return answers.flatMap(({ question, labels }, index) =>
    labels.flatMap((label, step) => {
      const reward = scores[index]![step] ?? null;
      if (label === null || reward === null) return [];
      return [{ reward, right: label >= 0.5, share: label, group: question }];
    }),
  );
}

function wholeAnswers(scores: AnswerScores, answers: readonly LabelledAnswer[], kind: Aggregation) {
  return answers.flatMap(({ right }, index) => {
    const own = scores[index]!.filter((score) => score !== null);
    return own.length === 0 ? [] : [{ reward: aggregate(kind, own), right }];
  });
}

/** A wrong certainty costs as much as one in a million may. */
const surest = 1e-6;

function lossOf(judged: readonly Required<Judged>[]): number | null {
  if (judged.length === 0) return null;
  const losses = judged.map(({ reward, share }) => {
    const chance = Math.min(1 - surest, Math.max(surest, reward));
    return crossEntropy(Math.log(chance / (1 - chance)), share);
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
