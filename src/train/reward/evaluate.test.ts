import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluateScores } from "./evaluate.js";
import type { LabelledAnswer } from "./examples.js";

const answer = (labels: readonly (number | null)[], right: boolean, question: string): LabelledAnswer => ({
  ...{ question, sample: 0, right, labels },
  readings: [],
});

test("labels turned round give one minus the area", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), {
    minLength: 2,
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, (pairs) => {
      const scores = [pairs.map(([score]) => score / 5)];
      const area = (turned: boolean) => {
        const labels = pairs.map(([, right]) => (right !== turned ? 1 : 0));
        return evaluateScores(scores, [answer(labels, true, "q")]).steps!.auroc;
      };
      const [one, other] = [area(false), area(true)];
      if (one === null) expect(other).toBeNull();
      else expect(other).toBeCloseTo(1 - one, 12);
    }),
  );
});

test("steps without a label or a score are left out", () => {
  const found = evaluateScores(
    [
      [0.9, 0.2, null],
      [0.7, 0.1],
    ],
    [answer([1, null, 0], true, "a"), answer([1, 0], false, "b")],
    { firstErrorThreshold: 0.5 },
  );
  expect(found.steps).toMatchObject({ count: 3, auroc: 1 });
  expect(found.crossEntropy).toBeCloseTo(-(Math.log(0.9) + Math.log(0.7) + Math.log(0.9)) / 3, 12);
  // Only the second answer is known throughout, and no right one with it.
  expect(found.firstError).toBeNull();
});

test("an answer labelled up to its first wrong step is known throughout", () => {
  const scores = [[0.9, 0.2, null], [0.8]];
  const answers = [answer([1, 0, null], false, "a"), answer([1], true, "b")];
  expect(evaluateScores(scores, answers, { firstErrorThreshold: 0.5 }).firstError).toMatchObject({ f1: 1 });
  // Claimed too early, or not at all before what nobody knows.
  for (const threshold of [0.95, 0.1]) {
    const found = evaluateScores(scores, answers, { firstErrorThreshold: threshold });
    expect(found.firstError).toMatchObject({ onWrong: 0 });
  }
});

test("whole answers are told apart by least, last, mean and product of their scores", () => {
  const scores = [
    [0.9, 0.2],
    [0.6, 0.5],
  ];
  const found = evaluateScores(scores, [answer([1, 1], true, "a"), answer([1, 0], false, "b")]);
  expect(found.answers).toEqual({ min: 0, product: 0, last: 0, mean: 0.5 });
});

test("shares that are not half right count by how right they are", () => {
  const scores = [[0.3, 0.3]];
  const found = evaluateScores(scores, [answer([0.2, 0.4], false, "a")]);
  expect(found.steps!.calibrationError).toBeCloseTo(0, 12);
  expect(evaluateScores([[]], [answer([], true, "a")]).steps).toBeNull();
});
