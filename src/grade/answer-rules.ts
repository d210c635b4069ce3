/** How a run reads and compares answers to a question of some task. */
import type { AnswerRules } from "../core/answer-rules.js";
import type { Grader } from "./grader.js";
import { answerOf } from "./lenient-verdict.js";

/** By the task's own rules where it has some; a text without an answer has none. */
export function answerRules(grader: Pick<Grader, "sameAnswer">, task?: string): AnswerRules {
  return {
    extract: (text) => answerOf(text, task) || null,
    same: (first, second) => grader.sameAnswer(first, second),
  };
}
