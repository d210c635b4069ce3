/** Which answers get labels, where not all can. */
import { keyedUniform } from "../../core/random.js";
import { type AnswerRecord, answerKey } from "./answers.js";

/**
 * At most `limit` answers, greedy ones first, right and wrong by turns, in an order drawn by the seed. Those that have
 * labels already count, whoever made them: an answer is added only while there are fewer.
 */
export function answersToLabel(
  answers: readonly AnswerRecord[],
  labelled: { has(key: string): boolean },
  limit: number,
  seed: number,
): AnswerRecord[] {
  if (answers.length <= limit) return [...answers];
  const done = answers.filter((answer) => labelled.has(answerKey(answer)));
  const open = inTurns(answers, seed).filter((answer) => !labelled.has(answerKey(answer)));
  return [...done, ...open.slice(0, Math.max(0, limit - done.length))];
}

function inTurns(answers: readonly AnswerRecord[], seed: number): AnswerRecord[] {
  const sides = [true, false].map((right) =>
    answers
      .filter((answer) => answer.right === right)
      .map((answer) => ({ answer, at: keyedUniform(seed, answer.question, answer.sample, "labelled") }))
      .sort((one, other) => one.answer.sample - other.answer.sample || one.at - other.at)
      .map(({ answer }, turn) => ({ answer, turn })),
  );
  return sides
    .flat()
    .sort((one, other) => one.turn - other.turn)
    .map(({ answer }) => answer);
}
