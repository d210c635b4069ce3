import { describe, expect, test } from "vitest";
import { generator } from "../core/generator.js";
import { reliabilityOf } from "./reliability.js";
import type { BenchResult } from "./result.js";

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
