import { expect, test } from "vitest";
import { fitLogistic, logisticValue } from "./logistic-regression.js";
import { keyedUniform } from "./random.js";

test("the law that made the data is found again", () => {
  const truth = { weights: [-2.5, 0.7], bias: 1.2 };
  const rows = Array.from({ length: 20_000 }, (_, index) =>
    ["a", "b"].map((name) => 4 * keyedUniform(1, name, index, "feature") - 1),
  );
  const labels = rows.map((row, index) =>
    keyedUniform(2, "label", index, "draw") < logisticValue(truth, row) ? 1 : 0,
  );
  const { weights, bias } = fitLogistic(rows, labels);
  expect(weights[0]).toBeCloseTo(-2.5, 0);
  expect(weights[1]).toBeCloseTo(0.7, 0);
  expect(Math.abs(weights[0]! + 2.5)).toBeLessThan(0.12);
  expect(Math.abs(bias - 1.2)).toBeLessThan(0.12);
});

test("shares as labels are fitted exactly, separable labels stay finite", () => {
  const rows = [[-1], [0], [1], [2]];
  const law = { weights: [0.8], bias: -0.3 };
  const fit = fitLogistic(
    rows,
    rows.map((row) => logisticValue(law, row)),
    { ridge: 0 },
  );
  expect(fit.weights[0]).toBeCloseTo(0.8, 8);
  expect(fit.bias).toBeCloseTo(-0.3, 8);
  const sharp = fitLogistic(rows, [0, 0, 1, 1]);
  expect(sharp.weights[0]).toBeGreaterThan(3);
  expect(-sharp.bias / sharp.weights[0]!).toBeCloseTo(0.5, 2);
});

test("nothing to fit is refused", () => {
  expect(() => fitLogistic([], [])).toThrow("0 rows");
  expect(() => fitLogistic([[1], [2, 3]], [0, 1])).toThrow("cannot be fitted");
});
