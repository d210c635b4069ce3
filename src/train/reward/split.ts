/** Questions to train on, and questions to be judged by: never the same one on both sides, however it is written. */
import { StepwrightError } from "../../core/errors.js";
import { keyedUniform } from "../../core/random.js";
import type { TaskQuestion } from "../../tasks/task.js";

/** With fewer, folds and figures mean nothing. */
export const fewestQuestions = 8;

export interface QuestionSplit {
  /** In the task's order. */
  readonly training: readonly TaskQuestion[];
  readonly heldOut: readonly TaskQuestion[];
  /** Questions that were there before in other words of the same letters and digits; they are passed over. */
  readonly repeated: number;
}

export interface SplitWish {
  /** A share of the questions, or questions of their own. */
  readonly heldOut: number | readonly TaskQuestion[];
  readonly seed: number;
}

/**
 * A share of the distinct questions is held out, drawn by the seed and the question's text: a question that is added
 * or moved changes little. Of questions that are held out by name, none is trained on. Throws `task-invalid` where there
 * are too few.
 */
export function splitQuestions(
  questions: readonly TaskQuestion[],
  { heldOut, seed }: SplitWish,
): QuestionSplit {
  if (typeof heldOut !== "number") return splitFrom(questions, heldOut);
  const distinct = distinctQuestions(questions);
  refuseTooFew(distinct, questions);
  const drawn = [...distinct]
    .map(([text, { id }]) => ({ id, at: keyedUniform(seed, text, 0, "held out") }))
    .sort((one, other) => one.at - other.at);
  const count = Math.min(distinct.size - 1, Math.max(1, Math.round(heldOut * distinct.size)));
  const out = new Set(drawn.slice(0, count).map(({ id }) => id));
  const kept = [...distinct.values()];
  return {
    training: kept.filter(({ id }) => !out.has(id)),
    heldOut: kept.filter(({ id }) => out.has(id)),
    repeated: questions.length - distinct.size,
  };
}

function splitFrom(questions: readonly TaskQuestion[], named: readonly TaskQuestion[]): QuestionSplit {
  const out = distinctQuestions(named);
  const distinct = distinctQuestions(questions);
  for (const text of out.keys()) distinct.delete(text);
  refuseTooFew(distinct, questions);
  return {
    training: [...distinct.values()],
    heldOut: [...out.values()],
    repeated: questions.length + named.length - distinct.size - out.size,
  };
}

/** By what they ask; the first of several stands for them. */
function distinctQuestions(questions: readonly TaskQuestion[]): Map<string, TaskQuestion> {
  const distinct = new Map<string, TaskQuestion>();
  for (const question of questions) {
    const text = normalised(question.question);
    if (!distinct.has(text)) distinct.set(text, question);
  }
  return distinct;
}

function refuseTooFew(distinct: ReadonlyMap<string, TaskQuestion>, questions: readonly TaskQuestion[]): void {
  if (distinct.size >= fewestQuestions) return;
  const found = distinct.size < questions.length ? `${distinct.size} different` : String(distinct.size);
  throw new StepwrightError("task-invalid", `${found} questions are too few to train on`, {
    subject: "--task",
    remedy: `give ${fewestQuestions} at the very least, a hundred for figures that mean something`,
  });
}

/** Case, spaces and punctuation make no other question; digits and signs between them do. */
export function normalised(question: string): string {
  return question
    .normalize("NFKC")
    .toLowerCase()
    .replace(/(?<!\d)[.,]|[.,](?!\d)|[^\p{L}\p{N}.,+\-*/^=<>%]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
}
