import { describe, expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { pairedBootstrap } from "./paired-bootstrap.js";
import { mcnemarExact, passAtK } from "./statistics.js";

const random = (name: string) => {
  let index = 0;
  return () => keyedUniform(1, name, index++, "draw");
};

describe("McNemar's exact test", () => {
  test("is the sum of a binomial law's tails", () => {
    expect(mcnemarExact(0, 5)).toBeCloseTo(2 / 32, 12);
    expect(mcnemarExact(1, 9)).toBeCloseTo((2 * (1 + 10)) / 1024, 12);
    expect(mcnemarExact(9, 1)).toBe(mcnemarExact(1, 9));
    expect(mcnemarExact(4, 4)).toBe(1);
    expect(mcnemarExact(0, 0)).toBe(1);
    expect(mcnemarExact(500, 500)).toBe(1);
    expect(mcnemarExact(450, 550)).toBeCloseTo(0.00173, 4);
  });

  test("calls equal sides different at most 5 times in 100", () => {
    const draw = random("mcnemar");
    let found = 0;
    for (let repetition = 0; repetition < 2000; repetition++) {
      let better = 0;
      for (let pair = 0; pair < 30; pair++) if (draw() < 0.5) better++;
      if (mcnemarExact(better, 30 - better) < 0.05) found++;
    }
    expect(found / 2000).toBeLessThan(0.05);
    expect(found).toBeGreaterThan(0);
  });
});

describe("the paired bootstrap", () => {
  test("is near the normal interval where that is right", () => {
    const draw = random("differences");
    const differences = Array.from({ length: 400 }, () => (draw() < 0.3 ? 1 : draw() < 0.2 ? -1 : 0));
    const mean = differences.reduce((sum: number, value) => sum + value, 0) / 400;
    const variance = differences.reduce((sum: number, value) => sum + (value - mean) ** 2, 0) / 400;
    const half = 1.96 * Math.sqrt(variance / 400);
    const [low, high] = pairedBootstrap(differences);
    expect(Math.abs(low - (mean - half))).toBeLessThan(0.01);
    expect(Math.abs(high - (mean + half))).toBeLessThan(0.01);
  });

  test("is the same for the same seed, and certain of what never varies", () => {
    const differences = [1, 0, 0, -1, 1, 1, 0];
    expect(pairedBootstrap(differences)).toEqual(pairedBootstrap(differences));
    expect(pairedBootstrap([0, 0, 0])).toEqual([0, 0]);
    expect(pairedBootstrap([])).toEqual([-1, 1]);
  });

  test("holds the truth about 95 times in 100", () => {
    const draw = random("coverage");
    let covered = 0;
    for (let repetition = 0; repetition < 150; repetition++) {
      const differences = Array.from({ length: 60 }, () => (draw() < 0.4 ? 1 : 0) - (draw() < 0.2 ? 1 : 0));
      const [low, high] = pairedBootstrap(differences, repetition);
      if (low <= 0.2 && 0.2 <= high) covered++;
    }
    expect(covered / 150).toBeGreaterThan(0.88);
  });
});

describe("pass@k", () => {
  test("is the share of subsets of k that hold a right answer", () => {
    for (const [samples, correct] of [
      [6, 2],
      [5, 0],
      [5, 5],
      [7, 1],
    ] as const) {
      for (let k = 1; k <= samples; k++) {
        const [hits, all] = subsets(samples, correct, k);
        expect(passAtK(samples, correct, k)).toBeCloseTo(hits / all, 12);
      }
    }
  });

  test("has no meaning beyond the samples there are", () => {
    expect(passAtK(4, 2, 5)).toBeNaN();
  });
});

/** Counts subsets of size k among `samples`, of which the first `correct` are right: those with a right one, and all. */
function subsets(samples: number, correct: number, k: number): [hits: number, all: number] {
  let [hits, all] = [0, 0];
  for (let set = 0; set < 2 ** samples; set++) {
    const members = Array.from({ length: samples }, (_, index) => (set >> index) & 1);
    if (members.reduce((sum, member) => sum + member, 0) !== k) continue;
    all++;
    if (members.slice(0, correct).includes(1)) hits++;
  }
  return [hits, all];
}
