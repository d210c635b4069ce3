import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { thresholdWithin } from "./advised-threshold.js";

const table = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 33, maxLength: 33 })
  .map((values) => values.toSorted((a, b) => a - b));
const lengths = fc
  .array(fc.double({ min: 1, max: 500, noNaN: true }), { minLength: 33, maxLength: 33 })
  .map((values) => values.toSorted((a, b) => a - b));
const advice = fc.record({ threshold: fc.double({ min: 0, max: 1, noNaN: true }), shares: table, lengths });
const written = fc.integer({ min: 0, max: 600 });
const maxTokens = 1024;

/** Steps whose rewards are spread evenly, in answers of a hundred tokens. */
const even = {
  threshold: 0.6,
  shares: Array.from({ length: 33 }, (_, index) => index / 32),
  lengths: Array.from({ length: 33 }, () => 100),
};

describe("the threshold in force", () => {
  test.each([
    [{ written: 0, tokensLeft: Number.POSITIVE_INFINITY }, 0.6],
    [{ written: 0, tokensLeft: 100 }, 0.6],
    [{ written: 0, tokensLeft: 60 }, 0.6],
    [{ written: 0, tokensLeft: 30 }, 10 / 32],
    [{ written: 50, tokensLeft: 30 }, 0.6],
    [{ written: 50, tokensLeft: 10 }, 7 / 32],
    [{ written: 99, tokensLeft: 1 }, 0.6],
    [{ written: 0, tokensLeft: 0 }, 0],
    [{ written: 0, tokensLeft: -3 }, 0],
    // Longer than any known answer: it may go on to the run's end.
    [{ written: 100, tokensLeft: 231 }, 9 / 32],
  ])("of %j is %d", (prospect, threshold) => {
    expect(thresholdWithin(even, { ...prospect, maxTokens })).toBeCloseTo(threshold, 12);
  });

  test("of tokens with one reward all are rewritten, as they come", () => {
    const shares = Array.from({ length: 33 }, (_, index) => [0.1, 0.4, 0.9][Math.floor(index / 11)]!);
    const within = (tokensLeft: number) =>
      thresholdWithin({ ...even, shares }, { written: 0, maxTokens, tokensLeft });
    expect(within(1)).toBe(0.4);
    expect(within(30)).toBe(0.4);
    expect(within(40)).toBe(0.6);
  });

  test("the rest of an answer is the mean of what the longer known ones still had to come", () => {
    const mixed = { ...even, lengths: Array.from({ length: 33 }, (_, index) => (index < 16 ? 40 : 120)) };
    const prospect = { maxTokens, tokensLeft: 20 };
    expect(thresholdWithin(mixed, { ...prospect, written: 60 })).toBe(11 / 32);
    expect(thresholdWithin(mixed, { ...prospect, written: 0 })).toBe(8 / 32);
  });

  test("never is above the advice, never falls as more is left, and is the advice where the budget is loose", () => {
    fc.assert(
      fc.property(advice, written, fc.integer({ min: 0, max: 800 }), fc.nat(50), (given, at, left, more) => {
        const within = (tokensLeft: number) => thresholdWithin(given, { written: at, maxTokens, tokensLeft });
        expect(within(left)).toBeLessThanOrEqual(within(left + more));
        expect(within(left)).toBeGreaterThanOrEqual(0);
        expect(within(maxTokens)).toBe(given.threshold);
        expect(within(0)).toBe(0);
      }),
    );
  });

  test("tells the worst of the draft's tokens from the others, as many as can be paid for, to a 32nd", () => {
    fc.assert(
      fc.property(advice, fc.integer({ min: 1, max: 99 }), (given, tokensLeft) => {
        const steady = { ...given, lengths: even.lengths };
        const threshold = thresholdWithin(steady, { written: 0, maxTokens, tokensLeft });
        // Of equals the first that come are rewritten, while the tokens last.
        const worst = given.shares.filter((reward) => reward < threshold).at(-1) ?? 0;
        const worse = given.shares.filter((reward) => reward < worst).length - 1;
        expect(worse / 32).toBeLessThanOrEqual(tokensLeft / 100 + 1e-12);
      }),
    );
  });
});
