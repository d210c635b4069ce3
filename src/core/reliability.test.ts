import { describe, expect, test } from "vitest";
import { generator } from "./generator.js";
import { auroc, reliability } from "./reliability.js";

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

test("labels turned round give one minus the area", () => {
  const random = generator("turned");
  const cases = Array.from({ length: 60 }, () => ({
    reward: Math.round(8 * random()) / 8,
    right: random() < 0.4,
  }));
  const turned = cases.map(({ reward, right }) => ({ reward, right: !right }));
  expect(auroc(turned)).toBeCloseTo(1 - auroc(cases)!, 12);
});

test("shares count in bins for what they are", () => {
  const judged = [0.2, 0.4, 0.6].map((share, at) => ({
    reward: 0.45,
    right: share >= 0.5,
    share,
    group: `${at}`,
  }));
  const found = reliability(judged);
  expect(found.right).toBeCloseTo(0.4, 12);
  expect(found.bins).toHaveLength(1);
  expect(found.calibrationError).toBeCloseTo(0.05, 12);
});
