import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bestThreshold,
  budgetThreshold,
  chooseThreshold,
  lengthsOf,
  type ScoredStep,
  shareBelow,
  sharesOf,
} from "./thresholds.js";

// Few scores, so that many are equal.
const step = fc.record({
  score: fc.integer({ min: 0, max: 12 }).map((part) => part / 13),
  label: fc.constantFrom(0, 0.25, 0.5, 1),
  tokens: fc.integer({ min: 1, max: 40 }),
});
const steps = fc.array(step, { minLength: 1, maxLength: 25 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** Every threshold that can make a difference. */
const candidates = (scored: readonly ScoredStep[]) => [0, ...scored.map(({ score }) => score), 1];

const meanLabel = (scored: readonly ScoredStep[], threshold: number, targetMean: number) =>
  scored.reduce((sum, { score, label }) => sum + (score >= threshold ? label : targetMean), 0) /
  scored.length;

describe("the rule of the best expected step", () => {
  test("beats every other threshold, and rewrites no more than it must", () => {
    fc.assert(
      fc.property(steps, share, (scored, targetMean) => {
        const found = bestThreshold(scored, targetMean);
        const values = candidates(scored).map((threshold) => meanLabel(scored, threshold, targetMean));
        const value = meanLabel(scored, found, targetMean);
        expect(value).toBeCloseTo(Math.max(...values), 10);
        for (const threshold of candidates(scored)) {
          if (shareBelow(scored, threshold) < shareBelow(scored, found)) {
            expect(meanLabel(scored, threshold, targetMean)).toBeLessThan(value);
          }
        }
      }),
    );
  });

  test("is the target's mean for a reward that means what it says", () => {
    const honest = Array.from({ length: 101 }, (_, part) => ({
      score: part / 100,
      label: part / 100,
      tokens: 1,
    }));
    expect(bestThreshold(honest, 0.6)).toBeCloseTo(0.6, 1);
    expect(bestThreshold(honest, 0)).toBe(0);
  });
});

describe("the rule of a budget", () => {
  test("is the greatest threshold that stays within the share", () => {
    fc.assert(
      fc.property(steps, share, (scored, most) => {
        const found = budgetThreshold(scored, most);
        expect(shareBelow(scored, found)).toBeLessThanOrEqual(most + 1e-9);
        for (const threshold of candidates(scored)) {
          if (threshold > found) expect(shareBelow(scored, threshold)).toBeGreaterThan(most - 1e-9);
        }
      }),
    );
  });

  test("is 1 where all may be rewritten", () => {
    expect(budgetThreshold([{ score: 0.4, label: 1, tokens: 3 }], 1)).toBe(1);
  });
});

test("shares rise from 0 to 1, each with at most its part of the tokens below", () => {
  fc.assert(
    fc.property(steps, (scored) => {
      const shares = sharesOf(scored);
      expect(shares).toHaveLength(33);
      expect(shares[0]).toBe(0);
      expect(shares[32]).toBe(1);
      for (const [part, threshold] of shares.entries()) {
        expect(threshold).toBeGreaterThanOrEqual(shares[part - 1] ?? 0);
        expect(shareBelow(scored, threshold)).toBeLessThanOrEqual(part / 32 + 1e-9);
      }
    }),
  );
});

test("lengths are the answers' quantiles", () => {
  expect(lengthsOf([30, 10])).toEqual(Array.from({ length: 33 }, (_, part) => 10 + (20 * part) / 32));
  expect(lengthsOf([7])).toEqual(new Array(33).fill(7));
  expect(lengthsOf([])).toEqual(new Array(33).fill(0));
});

test("a choice carries what a run may adapt by", () => {
  const scored = [
    { score: 0.2, label: 0, tokens: 10 },
    { score: 0.8, label: 1, tokens: 30 },
  ];
  const chosen = (choice: Parameters<typeof chooseThreshold>[0]) => chooseThreshold(choice, scored, [40]);
  expect(chosen({ rule: "target-mean", targetMean: 0.7 })).toMatchObject({ value: 0.7, rule: "target-mean" });
  expect(chosen({ rule: "best", targetMean: 0.7 }).value).toBe(0.8);
  expect(chosen({ rule: "budget", share: 0.2 }).value).toBe(0.2);
  expect(chosen({ rule: "budget", share: 0.3 }).value).toBe(0.8);
  expect(chosen({ rule: "budget", share: 0.3 })).toMatchObject({
    shares: sharesOf(scored),
    lengths: lengthsOf([40]),
  });
});
