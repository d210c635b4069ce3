import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generator } from "../../core/generator.js";
import { crossEntropy } from "../../core/logistic-regression.js";
import { calibrated } from "../../rewards/calibration-table.js";
import { sigmoid } from "../../rewards/law.js";
import { isotonicTable, neverFalling, rescalingOf } from "./calibrate.js";

/** Log-odds that are too sure by a factor and off by a shift, with labels drawn by what they should have said. */
function drawn(count: number, scale: number, shift: number) {
  const random = generator("calibrate");
  const logOdds = Float64Array.from({ length: count }, () => 8 * random() - 4);
  const labels = logOdds.map((odds) => (random() < sigmoid(scale * odds + shift) ? 1 : 0));
  return { logOdds, labels };
}

const loss = (chances: Float64Array, labels: Float64Array) =>
  chances.reduce((sum, chance, row) => sum + crossEntropy(Math.log(chance / (1 - chance)), labels[row]!), 0) /
  labels.length;

describe("scale and shift", () => {
  test("are found again, and lower the loss of what they were found on", () => {
    const { logOdds, labels } = drawn(20_000, 0.4, -0.7);
    const { scale, shift } = rescalingOf(logOdds, labels);
    expect(Math.abs(scale - 0.4)).toBeLessThan(0.03);
    expect(Math.abs(shift + 0.7)).toBeLessThan(0.06);
    const after = logOdds.map((odds) => sigmoid(scale * odds + shift));
    expect(loss(after, labels)).toBeLessThan(loss(logOdds.map(sigmoid), labels) - 0.1);
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(after)).toBeCloseTo(mean(labels), 6);
  });

  test("never turn the order round", () => {
    const { logOdds, labels } = drawn(500, -1, 0);
    const { scale, shift } = rescalingOf(logOdds, labels);
    expect(scale).toBeGreaterThan(0);
    const share = labels.reduce((sum, label) => sum + label, 0) / labels.length;
    for (const odds of logOdds) expect(Math.abs(sigmoid(scale * odds + shift) - share)).toBeLessThan(0.02);
  });

  test("stay finite where the scores part the labels", () => {
    const { scale, shift } = rescalingOf(Float64Array.of(-2, -1, 1, 2), Float64Array.of(0, 0, 1, 1));
    expect(Number.isFinite(scale) && Number.isFinite(shift)).toBe(true);
  });
});

describe("pooling neighbours that fall", () => {
  const cases = fc.array(
    fc.record({ value: fc.double({ min: 0, max: 1, noNaN: true }), weight: fc.integer({ min: 1, max: 9 }) }),
    { minLength: 1, maxLength: 12 },
  );

  test("is the greatest of least means, as its closed form says", () => {
    fc.assert(
      fc.property(cases, (points) => {
        const found = neverFalling(
          points.map(({ value }) => value),
          points.map(({ weight }) => weight),
        );
        const mean = (from: number, to: number) => {
          const inside = points.slice(from, to + 1);
          const weight = inside.reduce((sum, point) => sum + point.weight, 0);
          return inside.reduce((sum, point) => sum + point.weight * point.value, 0) / weight;
        };
        for (const at of points.keys()) {
          const starts = Array.from({ length: at + 1 }, (_, from) => {
            const ends = Array.from({ length: points.length - at }, (_, more) => mean(from, at + more));
            return Math.min(...ends);
          });
          expect(found[at]).toBeCloseTo(Math.max(...starts), 10);
        }
      }),
    );
  });
});

describe("the isotonic table", () => {
  test("never falls, is short and stays off certainty, whatever the labels", () => {
    const rows = fc.array(
      fc.record({ chance: fc.double({ min: 0, max: 1, noNaN: true }), label: fc.constantFrom(0, 0.25, 1) }),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(rows, (points) => {
        const { inputs, outputs } = isotonicTable(
          Float64Array.from(points, ({ chance }) => chance),
          Float64Array.from(points, ({ label }) => label),
        );
        expect(inputs.length).toBe(outputs.length);
        expect(inputs.length).toBeLessThanOrEqual(33);
        expect([...inputs].sort((one, other) => one - other)).toEqual([...inputs]);
        expect([...outputs].sort((one, other) => one - other)).toEqual([...outputs]);
        expect(outputs.every((output) => output > 0 && output < 1)).toBe(true);
      }),
    );
  });

  test("finds a law that no scale and shift can express, and lowers the loss", () => {
    const random = generator("isotonic");
    const chances = Float64Array.from({ length: 8000 }, () => random());
    const law = (chance: number) => (chance < 0.5 ? 0.1 : 0.8);
    const labels = chances.map((chance) => (random() < law(chance) ? 1 : 0));
    const table = isotonicTable(chances, labels);
    for (const chance of [0.1, 0.3, 0.7, 0.9]) {
      expect(Math.abs(calibrated(table, chance) - law(chance))).toBeLessThan(0.05);
    }
    const after = chances.map((chance) => calibrated(table, chance));
    expect(loss(after, labels)).toBeLessThan(loss(chances, labels) - 0.05);
  });
});
