import { describe, expect, test } from "vitest";
import { generator } from "./generator.js";
import { auroc, reliabilityOf } from "./reliability.js";
import type { BenchResult } from "./result.js";

const judged = (pairs: readonly (readonly [reward: number, right: boolean])[]) =>
  pairs.map(([reward, right]) => ({ reward, right }));

describe("AUROC", () => {
  test("is the share of pairs in the right order, ties half", () => {
    expect(
      auroc(
        judged([
          [0.1, false],
          [0.9, true],
        ]),
      ),
    ).toBe(1);
    expect(
      auroc(
        judged([
          [0.9, false],
          [0.1, true],
        ]),
      ),
    ).toBe(0);
    expect(
      auroc(
        judged([
          [0.5, false],
          [0.5, true],
        ]),
      ),
    ).toBe(0.5);
    expect(auroc(judged([[0.5, true]]))).toBeNull();
  });

  test("agrees with counting every pair", () => {
    const random = generator("test auroc");
    const cases = Array.from({ length: 200 }, () => {
      const right = random() < 0.6;
      return { right, reward: Math.round((random() + (right ? 0.3 : 0)) * 10) / 13 };
    });
    let [wins, pairs] = [0, 0];
    for (const a of cases.filter(({ right }) => right)) {
      for (const b of cases.filter(({ right }) => !right)) {
        pairs++;
        wins += a.reward > b.reward ? 1 : a.reward === b.reward ? 0.5 : 0;
      }
    }
    expect(auroc(cases)).toBeCloseTo(wins / pairs, 12);
  });
});

describe("reliability", () => {
  const result = (question: string, correct: boolean, steps: readonly object[]) =>
    ({
      question,
      correct,
      steps: steps.map((step) => ({ origin: "draft", tokens: 1, rejected: [], ...step })),
    }) as unknown as BenchResult;

  test("of a reward that says the true chance has no calibration error beyond chance", () => {
    const random = generator("test calibration");
    const results = Array.from({ length: 400 }, (_, index) =>
      result(
        `q${index}`,
        true,
        Array.from({ length: 10 }, () => {
          const reward = random();
          return { reward, right: random() < reward };
        }),
      ),
    );
    const honest = reliabilityOf(results)!;
    expect(honest).toMatchObject({ of: "steps", count: 4000 });
    expect(honest.calibrationError).toBeLessThan(0.03);
    // The area for a uniform, honest reward is 5/6.
    expect(Math.abs(honest.auroc! - 5 / 6)).toBeLessThan(0.02);
    expect(honest.aurocCi95![0]).toBeLessThan(5 / 6);
    expect(honest.aurocCi95![1]).toBeGreaterThan(5 / 6);
  });

  test("counts rejected steps, and weighs bins by their size", () => {
    const found = reliabilityOf([
      result("q", true, [
        { reward: 0.9, right: true, rejected: [{ origin: "draft", tokens: 1, reward: 0.1, right: true }] },
      ]),
    ])!;
    expect(found.count).toBe(2);
    expect(found.calibrationError).toBeCloseTo((0.1 + 0.9) / 2, 12);
    expect(found.auroc).toBeNull();
  });

  test("falls back on answers where no step is judged, and on nothing where none is scored", () => {
    const found = reliabilityOf([
      result("a", true, [{ reward: 0.9 }, { reward: 0.6 }]),
      result("b", false, [{ reward: 0.2 }, { reward: 0.8 }]),
    ])!;
    expect(found).toMatchObject({ of: "answers", count: 2, auroc: 1 });
    expect(found.bins.map(({ meanReward }) => meanReward)).toEqual([0.2, 0.6]);
    expect(reliabilityOf([result("a", true, [{ reward: null }])])).toBeNull();
  });
});
