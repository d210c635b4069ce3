/** Labels on disk, one record for each answer, and the work that fills what is missing. */
import { z } from "zod";
import { StepwrightError } from "../../../core/errors.js";
import { inFlight } from "../../../core/in-flight.js";
import { addUsage } from "../../../core/model.js";
import { RecordFile } from "../../../core/record-file.js";
import type { TaskQuestion } from "../../../tasks/task.js";
import { type AnswerRecord, answerKey } from "../answers.js";
import {
  canLabel,
  type LabelContext,
  type Labeller,
  type LabelNeed,
  type LabelSource,
  type Labels,
  type LabelUsage,
  labelUsage,
  noLabelUsage,
} from "./label-source.js";

const labelRecord = z.object({
  question: z.string(),
  sample: z.int().min(0),
  /** One for each step of the answer. */
  values: z.array(z.number().min(0).max(1).nullable()),
  usage: labelUsage,
  note: z.record(z.string(), z.unknown()).optional(),
});

export type LabelRecord = z.infer<typeof labelRecord>;

export function openLabels(path: string): Promise<RecordFile<LabelRecord>> {
  return RecordFile.open<LabelRecord>(path, {
    parse: (stored) => labelRecord.safeParse(stored).data ?? null,
    key: answerKey,
    what: "label",
    code: "checkpoint-invalid",
  });
}

export interface LabelWork {
  readonly answers: readonly AnswerRecord[];
  readonly questions: readonly TaskQuestion[];
  readonly source: LabelSource;
  /** Checked by the source's schema; part of what the file's labels mean, so keep them beside the file. */
  readonly options?: unknown;
  readonly context: LabelContext;
  /** Answers in flight at once. */
  readonly concurrency: number;
  onLabels?(done: number, of: number, record: LabelRecord): void;
}

/**
 * Labels the answers that `file` lacks. An answer to a question that the source can say nothing of gets null labels at no
 * cost; so does one that is too long for a model. An abort keeps what is finished. Throws `missing-role`, `task-invalid` or
 * `invalid-option` before any work.
 */
export async function labelAnswers(file: RecordFile<LabelRecord>, work: LabelWork): Promise<void> {
  const { answers, source, context } = work;
  const questions = new Map(work.questions.map((question) => [question.id, question]));
  checkNeeds(source, context, work.questions);
  const missing = answers.filter((answer) => !file.has(answerKey(answer)));
  if (missing.length === 0) return;
  let done = answers.length - missing.length;
  await using labeller = await source.open(source.schema.parse(work.options ?? {}), context);
  await inFlight(missing, work.concurrency, context.signal, async (answer) => {
    const question = questions.get(answer.question);
    if (question === undefined) throw strangeAnswer(answer);
    const { values, usage, note } = canLabel(source, question)
      ? await labelsOf(labeller, answer, question)
      : unlabelled(answer, "not of this question");
    const record: LabelRecord = {
      ...{ question: answer.question, sample: answer.sample, values: [...values], usage },
      ...(note && { note }),
    };
    await file.append(record);
    work.onLabels?.(++done, answers.length, record);
  });
}

async function labelsOf(labeller: Labeller, answer: AnswerRecord, question: TaskQuestion): Promise<Labels> {
  if (answer.steps.length === 0) return { values: [], usage: noLabelUsage };
  try {
    return await labeller.label(answer, question);
  } catch (error) {
    // One answer too long for a model must not end the work on all others.
    if (StepwrightError.is(error, "context-exceeded")) return unlabelled(answer, "too long for the model");
    throw error;
  }
}

function unlabelled({ steps }: AnswerRecord, reason: string): Labels {
  return { values: steps.map(() => null), usage: noLabelUsage, note: { unlabelled: reason } };
}

/** Throws `missing-role` or `task-invalid` where the source lacks what it needs. */
export function checkNeeds(
  source: LabelSource,
  context: LabelContext,
  questions: readonly TaskQuestion[],
): void {
  const canLabelSome = questions.some((question) => canLabel(source, question));
  const refusals: Record<LabelNeed, () => StepwrightError | undefined> = {
    draft: () => (context.draft ? undefined : missingRole(source, "draft")),
    annotator: () => (context.annotator ? undefined : missingRole(source, "annotator")),
    "step-check": () => (context.checkStep ? undefined : unfit(source, "the task cannot check steps")),
    solutions: () => (canLabelSome ? undefined : unfit(source, "no question has a worked solution")),
    numbers: () => (canLabelSome ? undefined : unfit(source, "no question's answer is a number")),
  };
  for (const need of source.needs) {
    const refusal = refusals[need]();
    if (refusal) throw refusal;
  }
}

function missingRole({ name }: LabelSource, role: string): StepwrightError {
  return new StepwrightError("missing-role", `labels ${name} need a model as ${role}`, {
    subject: role,
    remedy: `name one, or choose labels that need none (outcome)`,
  });
}

function unfit({ name }: LabelSource, reason: string): StepwrightError {
  return new StepwrightError("task-invalid", `labels ${name} cannot be made: ${reason}`, {
    subject: name,
    remedy: "choose other labels (outcome, monte-carlo), or give the questions a field `solution`",
  });
}

function strangeAnswer({ question }: AnswerRecord): StepwrightError {
  return new StepwrightError(
    "checkpoint-invalid",
    `an answer is to "${question}", which the task does not hold`,
    {
      subject: question,
      remedy: "choose another folder, or give the questions that the answers were written to",
    },
  );
}

export interface LabelTotals extends LabelUsage {
  readonly answers: number;
  readonly steps: number;
  /** Steps that got a label. */
  readonly labelled: number;
}

export function labelTotals(records: readonly LabelRecord[]): LabelTotals {
  const labels = records.flatMap(({ values }) => values);
  return {
    answers: records.length,
    steps: labels.length,
    labelled: labels.filter((value) => value !== null).length,
    ...records.reduce((sum, { usage }) => addUsage(sum, usage), noLabelUsage),
  };
}
