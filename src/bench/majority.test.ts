import { describe, expect, test } from "vitest";
import { majorityAccuracy, type Vote } from "./majority.js";

const votes = (text: string): Vote[] =>
  [...text].map((answer) => ({ answer: answer === "-" ? "" : answer, correct: answer === "r" }));

describe("a majority vote", () => {
  test("over one sample is the mean, over all of them the most frequent answer", () => {
    expect(majorityAccuracy(votes("rrwx"), 1)).toBeCloseTo(0.5, 12);
    expect(majorityAccuracy(votes("rrwx"), 4)).toBe(1);
    expect(majorityAccuracy(votes("rwwx"), 4)).toBe(0);
  });

  test("counts a tie as the chance of an even draw, and no answer as no vote", () => {
    expect(majorityAccuracy(votes("rrww"), 4)).toBe(0.5);
    expect(majorityAccuracy(votes("r---"), 4)).toBe(1);
    expect(majorityAccuracy(votes("--"), 2)).toBe(0);
  });

  test("of two kinds of answers follows the hypergeometric law, also where subsets are drawn", () => {
    for (const [right, wrong, k] of [
      [6, 3, 3],
      [14, 10, 9],
    ] as const) {
      const samples = votes("r".repeat(right) + "w".repeat(wrong));
      let expected = 0;
      for (let hits = 0; hits <= k; hits++) {
        const chance = (choose(right, hits) * choose(wrong, k - hits)) / choose(right + wrong, k);
        expected += chance * (2 * hits > k ? 1 : 2 * hits === k ? 0.5 : 0);
      }
      const isExact = choose(right + wrong, k) <= 2000;
      expect(Math.abs(majorityAccuracy(samples, k) - expected)).toBeLessThan(isExact ? 1e-12 : 0.03);
    }
  });

  test("rises with the number of votes where right answers are the more frequent ones", () => {
    const samples = votes("r".repeat(9) + "w".repeat(6));
    const curve = [1, 3, 5, 9, 15].map((k) => majorityAccuracy(samples, k));
    expect(curve).toEqual([...curve].sort((a, b) => a - b));
    expect(curve[4]).toBe(1);
    expect(majorityAccuracy(samples, 16)).toBeNaN();
  });
});

function choose(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let count = 1;
  for (let index = 1; index <= k; index++) count = (count * (n - k + index)) / index;
  return count;
}
