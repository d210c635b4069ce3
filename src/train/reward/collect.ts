/** The long part of a training: answers, what models read of them, and labels. Every stage goes on where it was cut. */
import { join } from "node:path";
import type { Model } from "../../core/model.js";
import type { RecordFile } from "../../core/record-file.js";
import { needsOf } from "../../rewards/readings/features.js";
import type { StepReadings } from "../../rewards/readings/readings.js";
import type { TaskQuestion } from "../../tasks/task.js";
import { type AnswerRecord, answerKey, openAnswers, writeAnswers } from "./answers.js";
import { freeLabels, labelSources } from "./labels/index.js";
import {
  checkNeeds,
  type LabelRecord,
  type LabelTotals,
  labelAnswers,
  labelTotals,
  openLabels,
} from "./labels/label-file.js";
import { canLabel, isPaid, type LabelContext } from "./labels/label-source.js";
import { answersToLabel } from "./labels-wanted.js";
import { TrainingPlan } from "./plan.js";
import { gatherReadings, kindAndRole, openReadingsFile, partsOf, readingsOf } from "./readings-file.js";
import { refuseOneKind, refuseOtherWriter, refuseUnreadable } from "./refusals.js";
import { rolloutCost } from "./rollout-cost.js";
import { type QuestionSplit, splitQuestions } from "./split.js";
import type { RewardTraining, WantedLabels } from "./training.js";

/** An answer with what was read of its steps. */
export interface StudiedAnswer {
  readonly answer: AnswerRecord;
  readonly readings: readonly StepReadings[];
}

export interface LabelCost extends LabelTotals {
  readonly source: string;
}

export interface TrainingData {
  readonly split: QuestionSplit;
  readonly training: readonly StudiedAnswer[];
  readonly heldOut: readonly StudiedAnswer[];
  /** The sources of labels that were made: the wanted ones in their order, and that by which heads are judged. */
  readonly sources: readonly string[];
  readonly truth: string;
  /** Of an answer's steps; null where the source was not asked, as of the answers held out all but the truth. */
  labelsOf(source: string, answer: AnswerRecord): readonly (number | null)[];
  /** Labels of the target's own steps; null where there is no target. */
  readonly target: {
    readonly labels: readonly number[];
    readonly right: number;
    readonly answers: number;
  } | null;
  readonly labelCosts: readonly LabelCost[];
}

export async function collectTraining(work: RewardTraining): Promise<TrainingData> {
  await refuseUnreadable(work);
  const split = splitQuestions(work.task.questions, work);
  const truth = await truthOf(work, questionsOf(split));
  const wantedLabels = new Set([...work.labels, truth]);
  for (const { source } of wantedLabels) checkNeeds(source, labelContext(work), questionsOf(split));
  const plan = await TrainingPlan.open(join(work.folder, "plan.json"));
  await plan.settleQuestions(questionsOf(split));
  const answers = await draftAnswers(work, plan, split);
  refuseOneKind(answers.training);
  // What all figures are of comes first: a training that takes long can be looked at before its end.
  const all = [...answers.heldOut, ...answers.training];
  const labels = new Map<string, RecordFile<LabelRecord>>();
  for (const wanted of wantedLabels) {
    const sides = wanted === truth ? [answers.training, answers.heldOut] : [answers.training];
    labels.set(wanted.source.name, await makeLabels(work, plan, split, wanted, sides, "labels"));
  }
  const readings = await makeReadings(work, plan, split, all);
  const target = await targetLabels(work, plan, split);
  const study = (answer: AnswerRecord) => ({ answer, readings: readings(answer) });
  return {
    ...{ split, target, truth: truth.source.name, sources: [...labels.keys()] },
    training: answers.training.map(study),
    heldOut: answers.heldOut.map(study),
    labelsOf: (source, answer) =>
      labels.get(source)!.get(answerKey(answer))?.values ?? answer.steps.map(() => null),
    labelCosts: [...labels].map(([source, file]) => ({ source, ...labelTotals(file.values()) })),
  };
}

function questionsOf({ training, heldOut }: QuestionSplit): TaskQuestion[] {
  return [...training, ...heldOut];
}

interface SplitAnswers {
  readonly training: readonly AnswerRecord[];
  readonly heldOut: readonly AnswerRecord[];
}

async function draftAnswers(
  work: RewardTraining,
  plan: TrainingPlan,
  split: QuestionSplit,
): Promise<SplitAnswers> {
  const { draft, samples, temperature, seed, maxTokens } = work;
  await plan.settle("answers", {
    ...{ draft: draft.fingerprint, system: work.system, splitter: work.splitter },
    ...{ temperature, seed, maxTokens },
  });
  // Held-out figures are of greedy answers, as the reward will mostly meet them.
  const heldOut = new Set(split.heldOut.map(({ id }) => id));
  const samplesOf = ({ id }: Pick<TaskQuestion, "id">) => (heldOut.has(id) ? 1 : samples);
  const stored = await writtenAnswers(work, "answers", draft, questionsOf(split), samplesOf);
  refuseOtherWriter(work.folder, draft, stored);
  const sideOf = (questions: readonly TaskQuestion[]) => {
    const own = new Map(questions.map(({ id }, index) => [id, index]));
    return stored
      .filter(
        ({ question, sample, steps }) =>
          own.has(question) && sample < samplesOf({ id: question }) && steps.length > 0,
      )
      .toSorted(
        (one, other) => own.get(one.question)! - own.get(other.question)! || one.sample - other.sample,
      );
  };
  return { training: sideOf(split.training), heldOut: sideOf(split.heldOut) };
}

/** The answers of `model`, which plays the draft's part, to these questions and whatever else the file holds. */
async function writtenAnswers(
  work: RewardTraining,
  name: "answers" | "target-answers",
  model: Model,
  questions: readonly TaskQuestion[],
  samples: (question: TaskQuestion) => number,
): Promise<AnswerRecord[]> {
  const { system, splitter, maxTokens, signal, onProgress } = work;
  const stage = name === "answers" ? "answers of the draft" : "answers of the target";
  await using file = await openAnswers(join(work.folder, `${name}.jsonl`));
  await writeAnswers(file, {
    questions,
    request: { method: work.writer, roles: { draft: model }, system, splitter, maxTokens },
    ...{ samples, temperature: work.temperature, seed: work.seed, concurrency: work.concurrency },
    grade: work.task.grade,
    signal,
    onAnswer: (done, of) => onProgress?.({ stage, unit: "answers", done, of }),
  });
  return file.values();
}

async function makeLabels(
  work: RewardTraining,
  plan: TrainingPlan,
  split: QuestionSplit,
  { source, options }: WantedLabels,
  /** The training answers first. */
  sides: readonly (readonly AnswerRecord[])[],
  prefix: "labels" | "target-labels",
): Promise<RecordFile<LabelRecord>> {
  const name = `${prefix}-${source.name}`;
  await plan.settle(name, {
    options,
    ...(source.needs.includes("annotator") && { annotator: work.annotator?.fingerprint }),
  });
  await using file = await openLabels(join(work.folder, `${name}.jsonl`));
  const limit = (isPaid(source) && work.labelLimit) || Number.POSITIVE_INFINITY;
  const most = sides.map((side) => (limit * side.length) / Math.max(1, sides[0]!.length));
  const questions = new Map(questionsOf(split).map((question) => [question.id, question]));
  const answers = sides.flatMap((side, index) =>
    answersToLabel(
      side.filter(({ question }) => canLabel(source, questions.get(question)!)),
      file,
      Math.ceil(most[index]!),
      work.seed,
    ),
  );
  const missing = answers.filter((answer) => !file.has(answerKey(answer)));
  const cost = rolloutCost({ source, options }, missing);
  if (cost) work.onCost?.(source.name, cost);
  await labelAnswers(file, {
    ...{ answers, questions: [...questions.values()], source, options, concurrency: work.concurrency },
    context: labelContext(work),
    onLabels: (done, of) => work.onProgress?.({ stage: `labels ${source.name}`, unit: "answers", done, of }),
  });
  return file;
}

function labelContext(work: RewardTraining): LabelContext {
  const { draft, annotator, task, system, splitter, maxTokens, seed, signal } = work;
  return {
    ...{ draft, annotator, system, splitter, maxTokens, seed, signal, grade: task.grade },
    ...(task.checkStep && { checkStep: task.checkStep }),
  };
}

/** How an answer's readings are found, once they are made. */
async function makeReadings(
  work: RewardTraining,
  plan: TrainingPlan,
  split: QuestionSplit,
  answers: readonly AnswerRecord[],
): Promise<(answer: AnswerRecord) => StepReadings[]> {
  const { draft, target, system, concurrency, signal } = work;
  const parts = partsOf(needsOf(work.features.flatMap(({ features }) => features)));
  const models = { draft, ...(target && { target }) };
  for (const part of parts) {
    const [, role] = kindAndRole(part);
    await plan.settle(`readings ${part}`, { model: models[role]?.fingerprint });
  }
  await using file = await openReadingsFile(join(work.folder, "readings.jsonl"));
  const questions = new Map(questionsOf(split).map((question) => [question.id, question]));
  await gatherReadings(file, {
    ...{ answers, questions, parts, models, system, concurrency, signal },
    onAnswer: (done, of) => work.onProgress?.({ stage: "readings", unit: "answers", done, of }),
  });
  return (answer) => readingsOf(file, answer, parts);
}

/** What the target's own steps are worth by the labels in use, on some of the training questions. */
async function targetLabels(
  work: RewardTraining,
  plan: TrainingPlan,
  split: QuestionSplit,
): Promise<TrainingData["target"]> {
  const { target } = work;
  if (!target) return null;
  const { system, splitter, maxTokens, seed } = work;
  await plan.settle("target-answers", { target: target.fingerprint, system, splitter, maxTokens, seed });
  const asked = split.training.slice(0, work.targetAnswers);
  const ids = new Set(asked.map(({ id }) => id));
  const stored = await writtenAnswers(work, "target-answers", target, asked, () => 1);
  const answers = stored.filter(({ question, sample }) => ids.has(question) && sample === 0);
  const [{ source }] = work.labels;
  // What the draft makes of the target's steps is not what they are worth: the target goes on from them itself.
  const isFit = !source.needs.includes("draft") && asked.some((question) => canLabel(source, question));
  const wanted = isFit ? work.labels[0] : { source: await labelSources.get("outcome"), options: {} };
  const file = await makeLabels(work, plan, split, wanted, [answers], "target-labels");
  return {
    labels: answers.flatMap((answer) =>
      (file.get(answerKey(answer))?.values ?? []).filter((value) => value !== null),
    ),
    right: answers.filter(({ right }) => right).length / Math.max(1, answers.length),
    answers: answers.length,
  };
}

/** The most exact of the labels at hand: those asked for and the free ones. */
async function truthOf(
  { task, labels }: RewardTraining,
  questions: readonly TaskQuestion[],
): Promise<WantedLabels> {
  const free = { source: await freeLabels(questions, task.checkStep !== undefined), options: {} };
  const best = labels.reduce((one, other) => (other.source.exactness > one.source.exactness ? other : one));
  // Of equal ones those asked for: they may have options.
  return best.source.exactness >= free.source.exactness ? best : free;
}
