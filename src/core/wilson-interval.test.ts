import { describe, expect, test } from "vitest";
import { keyedUniform } from "./random.js";
import { wilsonInterval } from "./wilson-interval.js";

const random = (name: string) => {
  let index = 0;
  return () => keyedUniform(1, name, index++, "draw");
};

describe("Wilson's interval", () => {
  // Its ends solve (p - share)^2 = z^2 p (1 - p) / n.
  test.each([
    [0, 10],
    [3, 10],
    [37, 60],
    [60, 60],
    [12.5, 30],
  ])("of %d in %d solves its equation", (successes, trials) => {
    for (const end of wilsonInterval(successes, trials)) {
      const distance = (end - successes / trials) ** 2;
      const isEdge = (successes === 0 && end === 0) || (successes === trials && end === 1);
      if (!isEdge) expect(distance).toBeCloseTo((1.959963984540054 ** 2 * end * (1 - end)) / trials, 12);
    }
  });

  test("has published values", () => {
    // Newcombe 1998, table I, method 3.
    expect(wilsonInterval(81, 263).map((end) => Number(end.toFixed(4)))).toEqual([0.2553, 0.3662]);
    expect(wilsonInterval(15, 148).map((end) => Number(end.toFixed(4)))).toEqual([0.0624, 0.1605]);
    expect(wilsonInterval(0, 20).map((end) => Number(end.toFixed(4)))).toEqual([0, 0.1611]);
    expect(wilsonInterval(1, 29).map((end) => Number(end.toFixed(4)))).toEqual([0.0061, 0.1718]);
  });

  test("holds the truth about 95 times in 100", () => {
    const draw = random("wilson");
    let covered = 0;
    for (let repetition = 0; repetition < 2000; repetition++) {
      let successes = 0;
      for (let trial = 0; trial < 40; trial++) if (draw() < 0.3) successes++;
      const [low, high] = wilsonInterval(successes, 40);
      if (low <= 0.3 && 0.3 <= high) covered++;
    }
    expect(covered / 2000).toBeGreaterThan(0.93);
    expect(covered / 2000).toBeLessThan(0.98);
  });

  test("of nothing says nothing", () => {
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});
