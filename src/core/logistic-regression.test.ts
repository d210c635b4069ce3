import { expect, test } from "vitest";
import { crossEntropy, fitLogistic, fitLogisticInTurns, logisticValue } from "./logistic-regression.js";
import { keyedUniform } from "./random.js";

const column = (...values: number[]) => values.map((value) => Float32Array.of(value));

/** Labels drawn by a law; the features differ in scale and place. */
function drawn(count: number) {
  const law = { weights: Float64Array.of(-2.5, 0.07), bias: 1.2 - 0.07 * 300 };
  const uniform = (index: number, name: string) => keyedUniform(1, name, index, "feature");
  const rows = Array.from({ length: count }, (_, index) =>
    Float32Array.of(4 * uniform(index, "a") - 1, 300 + 40 * uniform(index, "b") - 10),
  );
  const labels = rows.map((row, index) => (uniform(index, "label") < logisticValue(law, row) ? 1 : 0));
  return { rows, labels };
}

test("the law that made the data is found again", () => {
  const { weights, bias } = fitLogistic(drawn(20_000));
  expect(Math.abs(weights[0]! + 2.5)).toBeLessThan(0.12);
  expect(Math.abs(weights[1]! - 0.07)).toBeLessThan(0.005);
  expect(Math.abs(bias + weights[1]! * 300 - 1.2)).toBeLessThan(0.12);
});

test("is calibrated: the mean chance is the share that is right", () => {
  const { rows, labels } = drawn(3000);
  const fit = fitLogistic({ rows, labels });
  const mean = rows.reduce((sum, row) => sum + logisticValue(fit, row), 0) / rows.length;
  expect(mean).toBeCloseTo(labels.reduce<number>((sum, label) => sum + label, 0) / rows.length, 8);
});

test("shares as labels are fitted exactly, separable labels stay finite", () => {
  const rows = column(-1, 0, 1, 2);
  const law = { weights: Float64Array.of(0.8), bias: -0.3 };
  const fit = fitLogistic({ rows, labels: rows.map((row) => logisticValue(law, row)) }, { ridge: 0 });
  expect(fit.weights[0]).toBeCloseTo(0.8, 8);
  expect(fit.bias).toBeCloseTo(-0.3, 8);
  const sharp = fitLogistic({ rows, labels: [0, 0, 1, 1] }, { ridge: 1e-3 });
  expect(sharp.weights[0]).toBeGreaterThan(3);
  expect(Number.isFinite(sharp.weights[0])).toBe(true);
  expect(-sharp.bias / sharp.weights[0]!).toBeCloseTo(0.5, 2);
});

test("the loss rises in every direction from the fit, also where features outnumber rows", () => {
  const width = 40;
  const uniform = (name: string, index: number) => keyedUniform(4, name, index, "wide");
  const rows = Array.from({ length: 25 }, (_, row) =>
    Float32Array.from({ length: width }, (_, at) => (at + 1) * (uniform(`${row}`, at) - 0.3)),
  );
  const labels = rows.map((_, row) => uniform("label", row));
  const weights = rows.map((_, row) => 0.5 + uniform("weight", row));
  const pulls = Float64Array.from({ length: width }, (_, at) => (at % 2 === 0 ? 0.2 : 3));
  const fit = fitLogistic({ rows, labels, weights }, { ridge: pulls });
  const spread = Array.from({ length: width }, (_, at) => {
    const mean = rows.reduce((sum, row) => sum + row[at]!, 0) / rows.length;
    return Math.sqrt(rows.reduce((sum, row) => sum + (row[at]! - mean) ** 2, 0) / rows.length);
  });
  const loss = (candidate: { weights: Float64Array; bias: number }) =>
    rows.reduce((sum, row, index) => {
      const score = row.reduce((total, value, at) => total + value * candidate.weights[at]!, candidate.bias);
      return sum + weights[index]! * crossEntropy(score, labels[index]!);
    }, 0) +
    candidate.weights.reduce((sum, weight, at) => sum + (pulls[at]! / 2) * (weight * spread[at]!) ** 2, 0);
  const best = loss(fit);
  for (let at = 0; at <= width; at++) {
    for (const step of [-1e-3, 1e-3]) {
      const weights = fit.weights.map((weight, index) => (index === at ? weight + step : weight));
      expect(loss({ weights, bias: at === width ? fit.bias + step : fit.bias })).toBeGreaterThan(best);
    }
  }
});

test("a feature that never changes gets no weight", () => {
  const rows = Array.from({ length: 40 }, (_, index) => Float32Array.of(index, 0.1));
  const { weights, bias } = fitLogistic({ rows, labels: rows.map((_, index) => (index >= 20 ? 1 : 0)) });
  expect(weights[0]).toBeGreaterThan(0);
  expect(weights[1]).toBe(0);
  expect(Number.isFinite(bias)).toBe(true);
});

test("the same examples give the same bits, at once, in turns, and nearly so from a near start", async () => {
  const data = drawn(500);
  const fit = fitLogistic(data);
  expect(await fitLogisticInTurns(data)).toEqual(fit);
  const again = fitLogistic(data, { start: fitLogistic(data, { ridge: 30 }) });
  expect(again.weights[0]).toBeCloseTo(fit.weights[0]!, 8);
});

test("in turns, it ends when its signal fires", async () => {
  const signal = AbortSignal.abort();
  await expect(fitLogisticInTurns(drawn(100), { signal })).rejects.toThrow();
});

test("nothing to fit is refused", () => {
  const refused = expect.objectContaining({ code: "invalid-option" });
  expect(() => fitLogistic({ rows: [], labels: [] })).toThrow("0 rows");
  expect(() => fitLogistic({ rows: [...column(1), Float32Array.of(2, 3)], labels: [0, 1] })).toThrow(refused);
  expect(() => fitLogistic({ rows: column(1), labels: [0, 1] })).toThrow(refused);
  expect(() => fitLogistic({ rows: column(1, 2), labels: [1, 1] })).toThrow(refused);
});
