import { expect, test } from "vitest";
import { bestFirstErrorThreshold, firstErrorFigures } from "./first-error.js";

const right = { scores: [0.9, 0.8], labels: [1, 1] };
const found = { scores: [0.9, 0.3, 0.1], labels: [1, 0, 0] };
const late = { scores: [0.9, 0.8, 0.1], labels: [1, 0, 0] };
const early = { scores: [0.2, 0.1], labels: [1, 0] };

test("an answer counts only with exactly its first wrong step claimed, a right one only with none", () => {
  expect(firstErrorFigures([right, found, late, early], 0.5)).toEqual({
    threshold: 0.5,
    onWrong: 1 / 3,
    onRight: 1,
    f1: 0.5,
  });
  expect(firstErrorFigures([right, found], 0.85)).toMatchObject({ onWrong: 1, onRight: 0, f1: 0 });
});

test("the threshold may be met: only what lies below claims", () => {
  expect(firstErrorFigures([right, found], 0.8)).toMatchObject({ onRight: 1 });
});

test("needs both kinds of answer", () => {
  expect(firstErrorFigures([right], 0.5)).toBeNull();
  expect(firstErrorFigures([found], 0.5)).toBeNull();
  expect(bestFirstErrorThreshold([right])).toBeNull();
  expect(bestFirstErrorThreshold([])).toBeNull();
});

test("the best threshold is as good as any", () => {
  const answers = [right, found, late, early];
  const best = firstErrorFigures(answers, bestFirstErrorThreshold(answers)!)!;
  for (const threshold of [0, 0.1, 0.2, 0.3, 0.5, 0.8, 0.9, 1]) {
    expect(best.f1).toBeGreaterThanOrEqual(firstErrorFigures(answers, threshold)!.f1);
  }
});
