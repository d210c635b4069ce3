/** What a source of step labels is: it says of every step of an answer how right it is, at a price. */
import { z } from "zod";
import type { Model, Usage } from "../../../core/model.js";
import type { Splitter } from "../../../core/step.js";
import type { AnswerVerdict, TaskQuestion } from "../../../tasks/task.js";
import type { AnswerRecord } from "../answers.js";

/**
 * `solutions`: questions with a worked solution; `numbers`: questions whose answer is a number. An answer to another
 * question gets no labels.
 */
export type LabelNeed = "draft" | "annotator" | "solutions" | "numbers" | "step-check";

/** What labels cost. Free ones cost nothing: the answers were written and graded before. */
export const labelUsage = z.object({
  /** Generations. */
  calls: z.int().min(0),
  prefillTokens: z.int().min(0),
  decodeTokens: z.int().min(0),
  flops: z.number().min(0),
  /** Share of the engine's busy time. */
  seconds: z.number().min(0),
});

export type LabelUsage = z.infer<typeof labelUsage>;

export const noLabelUsage: LabelUsage = { calls: 0, prefillTokens: 0, decodeTokens: 0, flops: 0, seconds: 0 };

export function toLabelUsage(usage: Usage, calls: number): LabelUsage {
  const { prefillTokens, decodeTokens, flops, seconds } = usage;
  return { calls, prefillTokens, decodeTokens, flops, seconds };
}

export interface Labels {
  /** One for each step, in [0, 1], 1 is right; null where the source cannot say. */
  readonly values: readonly (number | null)[];
  readonly usage: LabelUsage;
  /** What else the source found out, as plain data. */
  readonly note?: Readonly<Record<string, unknown>>;
}

export interface LabelContext {
  /** The model that goes on from a step: usually the one that wrote the answers. */
  readonly draft?: Model | undefined;
  /** The model that compares steps with a worked solution. */
  readonly annotator?: Model | undefined;
  /** Of the runs that wrote the answers. */
  readonly system: string | null;
  readonly splitter: Splitter;
  /** Of a whole answer. */
  readonly maxTokens: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  grade(question: TaskQuestion, text: string): Promise<Pick<AnswerVerdict, "correct">>;
  /** The task's verdict on a step, where it has one. */
  checkStep?(question: TaskQuestion, stepsBefore: readonly string[], step: string): boolean;
}

/** A source at work; it owns what it holds of the models, never the models. */
export interface Labeller extends AsyncDisposable {
  label(answer: AnswerRecord, question: TaskQuestion): Promise<Labels>;
}

export interface LabelSource<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly essence: string;
  readonly source: string;
  /**
   * Which labels heads are judged by on answers held out: the wanted ones of the greatest exactness. 0 for labels that a
   * model only claims.
   */
  readonly exactness: number;
  readonly needs: readonly LabelNeed[];
  /** Its options; every field has a description. */
  readonly schema: Schema;
  /** The context holds what `needs` names. */
  open(options: z.output<Schema>, context: LabelContext): Promise<Labeller>;
}

/** Whether a model makes its labels. */
export function isPaid({ needs }: Pick<LabelSource, "needs">): boolean {
  return needs.includes("draft") || needs.includes("annotator");
}

/** Whether the source can say anything of answers to a question. */
export function canLabel(
  { needs }: Pick<LabelSource, "needs">,
  { steps = [], reference }: Pick<TaskQuestion, "steps" | "reference">,
): boolean {
  if (needs.includes("solutions") && steps.length === 0) return false;
  return !needs.includes("numbers") || isNumber(reference);
}

/** With a currency, a sign, a percent and thousands as they are written. */
function isNumber(reference: string): boolean {
  return (
    /^[-+]?\s*\\?\$?\s*(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?\s*\\?[$%€£]?$/.test(reference.trim()) &&
    /\d/.test(reference)
  );
}

/** Types a source's options from its schema. */
export function defineLabelSource<Schema extends z.ZodObject>(
  source: LabelSource<Schema>,
): LabelSource<Schema> {
  return source;
}

/** For sources that hold nothing. */
export function labeller(label: Labeller["label"]): Labeller {
  return { label, [Symbol.asyncDispose]: async () => {} };
}
