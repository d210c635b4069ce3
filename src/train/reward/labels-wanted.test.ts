import { expect, test } from "vitest";
import { type AnswerRecord, answerKey } from "./answers.js";
import { answersToLabel } from "./labels-wanted.js";

const answers = Array.from({ length: 30 }, (_, index) => ({
  question: `q${Math.floor(index / 3)}`,
  sample: index % 3,
  // Few are right.
  right: index % 5 === 0,
})) as unknown as AnswerRecord[];
const none = { has: () => false };

test("greedy answers first, right and wrong by turns", () => {
  const chosen = answersToLabel(answers, none, 4, 0);
  expect(chosen.map(({ right }) => right)).toEqual([true, false, true, false]);
  expect(chosen.filter(({ right }) => !right).map(({ sample }) => sample)).toEqual([0, 0]);
  expect(answersToLabel(answers, none, 30, 0)).toEqual(answers);
});

test("the order does not depend on what is there already: a training that was cut ends with the same answers", () => {
  const whole = answersToLabel(answers, none, 12, 3);
  const done = new Set([1, 4, 7].map((place) => answerKey(whole[place]!)));
  const resumed = answersToLabel(answers, { has: (key) => done.has(key) }, 12, 3);
  expect(new Set(resumed)).toEqual(new Set(whole));
});

test("labels made elsewhere count, and none is thrown away", () => {
  const elsewhere = new Set(answers.slice(20).map(answerKey));
  const labelled = { has: (key: string) => elsewhere.has(key) };
  expect(answersToLabel(answers, labelled, 6, 0).map(answerKey).sort()).toEqual([...elsewhere].sort());
  expect(answersToLabel(answers, labelled, 12, 0)).toHaveLength(12);
});
