import { describe, expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { pick } from "../core/sparse-law.js";
import { everyCoin, everyDraw } from "./chance.js";
import { chiSquareDeviation, expectedVariation, frequencies, totalVariation } from "./goodness.js";

const law = { tokens: [0, 1, 2], probabilities: [0.5, 0.3, 0.2] };

describe("every draw", () => {
  test("visits each sequence once with its probability, though later draws depend on earlier ones", () => {
    const answers = [
      ...everyDraw((draw) => {
        const first = draw(law, "a");
        return first === 0 ? "0" : `${first}${draw({ tokens: [7, 8], probabilities: [0.25, 0.75] }, "b")}`;
      }),
    ];
    expect(answers.map(({ answer }) => answer)).toEqual(["0", "17", "18", "27", "28"]);
    expect(answers.map(({ probability }) => probability)).toEqual([
      0.5,
      expect.closeTo(0.075, 12),
      expect.closeTo(0.225, 12),
      expect.closeTo(0.05, 12),
      expect.closeTo(0.15, 12),
    ]);
  });

  test("runs a program without draws once", () => {
    expect([...everyDraw(() => 1)]).toEqual([{ answer: 1, probability: 1 }]);
  });
});

describe("every coin", () => {
  test("gives the exact law of comparisons and picks, however narrow their regions", () => {
    const narrow = { tokens: [0, 1, 2], probabilities: [0.5, 1e-7, 0.5 - 1e-7] };
    const found = everyCoin((uniform) =>
      uniform("gate") < 1 / 3 ? "early" : String(pick(narrow, uniform("pick"))),
    );
    expect(found.get("early")).toBeCloseTo(1 / 3, 11);
    expect(found.get("0")).toBeCloseTo(1 / 3, 11);
    expect(found.get("1")! / (2e-7 / 3)).toBeCloseTo(1, 4);
    expect([...found.values()].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
  });

  test("falls the same way each time one coin is looked at", () => {
    const found = everyCoin((uniform) => String(uniform("one") < 0.25 && uniform("one") < 0.5));
    expect(found.get("true")).toBeCloseTo(0.25, 11);
  });

  test("lets a program's own errors through", () => {
    expect(() =>
      everyCoin(() => {
        throw new RangeError("mine");
      }),
    ).toThrow("mine");
  });
});

describe("how far counts lie from a law", () => {
  const goal = new Map(law.tokens.map((token, index) => [String(token), law.probabilities[index]!]));
  const drawn = (draws: number, trial: number) => {
    const counts = new Map<string, number>();
    for (let index = 0; index < draws; index++) {
      const text = String(pick(law, keyedUniform(trial, "trial", index, "draw")));
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return counts;
  };

  test("is told in standard deviations: honest draws spread as a normal number does", () => {
    const trials = Array.from({ length: 400 }, (_, trial) => chiSquareDeviation(drawn(200, trial), goal));
    const mean = trials.reduce((sum, each) => sum + each, 0) / trials.length;
    const variance = trials.reduce((sum, each) => sum + (each - mean) ** 2, 0) / trials.length;
    expect(Math.abs(mean)).toBeLessThan(0.2);
    expect(variance).toBeGreaterThan(0.7);
    expect(variance).toBeLessThan(1.3);
    expect(Math.max(...trials)).toBeLessThan(4);
  });

  test("is as the noise floor says", () => {
    const trials = Array.from({ length: 200 }, (_, trial) =>
      totalVariation(frequencies(drawn(500, trial)), goal),
    );
    const mean = trials.reduce((sum, each) => sum + each, 0) / trials.length;
    expect(mean / expectedVariation(goal, 500)).toBeCloseTo(1, 1);
  });

  test("is without bound where something came that cannot come", () => {
    expect(chiSquareDeviation(new Map([["9", 1]]), goal)).toBe(Number.POSITIVE_INFINITY);
  });
});
