import fc from "fast-check";
import { expect, test } from "vitest";
import { softValue } from "./soft-value.js";

const rewards = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 9 });
const lambda = fc.double({ min: 0.01, max: 500, noNaN: true });

test("diffusion tree card: a soft value lies between the least and the greatest of its children", () => {
  fc.assert(
    fc.property(rewards, lambda, (values, strength) => {
      const value = softValue(values, strength);
      expect(value).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
      expect(value).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
    }),
  );
});

test("diffusion tree card: a constant added to all rewards is added to the value", () => {
  fc.assert(
    fc.property(rewards, lambda, fc.double({ min: -3, max: 3, noNaN: true }), (values, strength, shift) => {
      const shifted = values.map((value) => value + shift);
      expect(softValue(shifted, strength)).toBeCloseTo(softValue(values, strength) + shift, 9);
    }),
  );
});

test("small lambda is the mean, large lambda the greatest", () => {
  expect(softValue([0, 0.3, 0.9], 1e-6)).toBeCloseTo(0.4, 5);
  expect(softValue([0, 0.3, 0.9], 1e5)).toBeCloseTo(0.9, 4);
});

test("diffusion tree card: on an enumerated tree the root's value is (1 / lambda) log sum p exp(lambda r)", () => {
  const prior = [0.5, 0.3, 0.2];
  const strength = 3;
  const rewardOf = (path: readonly number[]) => (path.reduce((sum, index) => 3 * sum + index, 1) % 17) / 16;
  const value = (path: readonly number[]): number =>
    path.length === 4
      ? rewardOf(path)
      : softValue(
          prior.map((_, index) => value([...path, index])),
          strength,
          prior.map(Math.log),
        );
  let total = 0;
  const add = (path: readonly number[], p: number): void => {
    if (path.length === 4) total += p * Math.exp(strength * rewardOf(path));
    else for (const [index, q] of prior.entries()) add([...path, index], p * q);
  };
  add([], 1);
  expect(value([])).toBeCloseTo(Math.log(total) / strength, 12);
});
