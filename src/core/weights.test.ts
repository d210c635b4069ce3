import fc from "fast-check";
import { expect, test } from "vitest";
import { drawIndex, effectiveSampleSize, logSumExp, normalisedEntropy, softmax } from "./weights.js";

const weights = fc.array(fc.double({ min: -800, max: 800, noNaN: true }), { minLength: 1, maxLength: 12 });

test("a law adds up to 1, and a constant added to all weights changes nothing", () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: -500, max: 500 }), (values, shift) => {
      const law = softmax(values);
      expect(law.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 10);
      const shifted = softmax(values.map((value) => value + shift));
      for (const [index, p] of law.entries()) expect(shifted[index]).toBeCloseTo(p, 9);
      expect(logSumExp(values.map((value) => value + shift))).toBeCloseTo(logSumExp(values) + shift, 8);
    }),
  );
});

test("sums of tiny and of infinite weights are defined", () => {
  expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.log(2), 12);
  expect(logSumExp([])).toBe(-Infinity);
  expect(softmax([-Infinity, -Infinity])).toEqual([0.5, 0.5]);
  expect(softmax([Infinity, 3, Infinity])).toEqual([0.5, 0, 0.5]);
});

test("a draw never takes what cannot happen", () => {
  fc.assert(
    fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (values, uniform) => {
      const law = softmax([...values, -Infinity]);
      expect(law[drawIndex(law, uniform)]).toBeGreaterThan(0);
    }),
  );
  expect(drawIndex([0.1, 0.9 - 1e-12, 0], 1 - 1e-13)).toBe(1);
});

test("size and entropy are least when one has all, greatest when all are equal", () => {
  expect(effectiveSampleSize([1, 0, 0, 0])).toBe(1);
  expect(effectiveSampleSize([0.25, 0.25, 0.25, 0.25])).toBe(4);
  expect(normalisedEntropy([1, 0, 0])).toBe(0);
  expect(normalisedEntropy([0.5, 0.5])).toBeCloseTo(1, 12);
  expect(normalisedEntropy([1])).toBe(1);
});
