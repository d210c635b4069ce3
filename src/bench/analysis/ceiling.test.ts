import { describe, expect, test } from "vitest";
import { generator } from "../../core/generator.js";
import { bestTries, ceiling, estimateVerifier, precision, resampling, type TaskKind } from "./ceiling.js";

/** The card's example. */
const kinds: TaskKind[] = [
  { prior: 0.58, accuracy: 0.87 },
  { prior: 0.42, accuracy: 0.13 },
];
const verifier = { completeness: 1, soundness: 0.75 };

describe("an imperfect verifier (card inference-scaling-flaws, What must hold)", () => {
  test.each([
    [-0.7, 3, 0.5246],
    [-1, 2, 0.4724],
    [-2, 1, 0.3388],
  ])("with a wrong answer at %f makes the best number of tries %i, worth %f", (wrong, tries, value) => {
    const found = bestTries(kinds, verifier, { right: 1, wrong, perTry: 0 });
    expect(found.tries).toBe(tries);
    expect(found.value).toBeCloseTo(value, 4);
  });

  test("has the example's ceiling, overall and by kind", () => {
    expect(ceiling(kinds, verifier)).toBeCloseTo(0.7162, 4);
    expect(ceiling([{ prior: 1, accuracy: 0.87 }], verifier)).toBeCloseTo(0.964, 4);
    expect(ceiling([{ prior: 1, accuracy: 0.13 }], verifier)).toBeCloseTo(0.3741, 4);
  });

  test("that never errs solves every kind that can be solved", () => {
    const perfect = { completeness: 1, soundness: 1 };
    const some = [...kinds.map((kind) => ({ ...kind, prior: kind.prior / 2 })), { prior: 0.5, accuracy: 0 }];
    expect(ceiling(some, perfect)).toBeCloseTo(0.5, 12);
    const curve = [1, 2, 4, 8].map((tries) => resampling(some, perfect, tries).right);
    expect(curve).toEqual([...curve].sort((a, b) => a - b));
    expect(bestTries(some.slice(0, 2), perfect, { right: 1, wrong: -8, perTry: 0 }).tries).toBeNull();
  });

  test("that accepts everything is worth one sample", () => {
    const blind = { completeness: 1, soundness: 0 };
    for (const tries of [1, 3, 100]) {
      expect(resampling(kinds, blind, tries).right).toBeCloseTo(0.58 * 0.87 + 0.42 * 0.13, 12);
    }
  });

  test("makes fewer tries worth it the dearer a wrong answer or a try is", () => {
    const tries = (wrong: number, perTry: number) =>
      bestTries(kinds, verifier, { right: 1, wrong, perTry }).tries;
    const byWrong = [-0.7, -1, -2, -4, -8].map((wrong) => tries(wrong, 0) ?? Number.POSITIVE_INFINITY);
    expect(byWrong).toEqual([...byWrong].sort((a, b) => b - a));
    const byTry = [0.01, 0.05, 0.2, 0.9].map((perTry) => tries(-0.5, perTry) ?? Number.POSITIVE_INFINITY);
    expect(byTry).toEqual([...byTry].sort((a, b) => b - a));
    expect(tries(-50, 0)).toBe(0);
  });

  test("is what a simulation of it does, within three standard errors", () => {
    const weak = { completeness: 0.9, soundness: 0.7 };
    const random = generator("resampling");
    const runs = 40_000;
    let [right, wrong] = [0, 0];
    const accepted = { right: [0, 0], all: [0, 0] };
    for (let run = 0; run < runs; run++) {
      const index = random() < kinds[0]!.prior ? 0 : 1;
      for (let attempt = 0; attempt < 4; attempt++) {
        const isRight = random() < kinds[index]!.accuracy;
        if (random() >= (isRight ? weak.completeness : 1 - weak.soundness)) continue;
        if (isRight) right++;
        else wrong++;
        accepted.all[index]!++;
        if (isRight) accepted.right[index]!++;
        break;
      }
    }
    const expected = resampling(kinds, weak, 4);
    const error = (share: number, count = runs) => 3 * Math.sqrt((share * (1 - share)) / count);
    expect(Math.abs(right / runs - expected.right)).toBeLessThan(error(expected.right));
    expect(Math.abs(wrong / runs - expected.wrong)).toBeLessThan(error(expected.wrong));
    for (const index of [0, 1] as const) {
      const share = precision(kinds[index]!, weak);
      expect(Math.abs(accepted.right[index]! / accepted.all[index]! - share)).toBeLessThan(
        error(share, accepted.all[index]!),
      );
    }
  });
});

test("completeness, soundness and kinds are read off verified samples", () => {
  const random = generator("verified");
  const questions = Array.from({ length: 500 }, (_, index) =>
    Array.from({ length: 20 }, () => {
      const right = random() < (index < 300 ? 0.9 : 0.1);
      return { right, accepted: random() < (right ? 0.8 : 0.3) };
    }),
  );
  const found = estimateVerifier(questions)!;
  expect(Math.abs(found.completeness - 0.8)).toBeLessThan(0.02);
  expect(Math.abs(found.soundness - 0.7)).toBeLessThan(0.02);
  expect(found.kinds.map(({ prior }) => prior)).toEqual([0.6, 0.4]);
  expect(found.kinds[0]!.accuracy).toBeCloseTo(0.9, 1);
  expect(estimateVerifier([[{ right: true, accepted: true }]])).toBeNull();
  expect(estimateVerifier(questions.map(([first]) => [first!]))!.kinds).toHaveLength(1);
});
