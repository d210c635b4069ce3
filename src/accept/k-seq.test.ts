import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { acceptance, divisionFactor } from "./k-seq.js";

const law = (length: number) =>
  fc
    .array(
      fc.oneof(
        { weight: 1, arbitrary: fc.constant(0) },
        { weight: 5, arbitrary: fc.double({ min: 1e-3, max: 1, noNaN: true }) },
      ),
      {
        minLength: length,
        maxLength: length,
      },
    )
    .filter((masses) => masses.some((mass) => mass > 0))
    .map((masses) => {
      const total = masses.reduce((sum, mass) => sum + mass, 0);
      return masses.map((mass) => mass / total);
    });
const pair = fc.tuple(law(4), law(4));
const draws = fc.integer({ min: 1, max: 5 });

/** Best chance that the token written is among k draws: the least cut between draws and tokens (max flow, min cut). */
function optimum(target: readonly number[], draft: readonly number[], k: number): number {
  let least = 1;
  for (let set = 0; set < 2 ** target.length; set++) {
    const inside = (masses: readonly number[]) =>
      masses.reduce((sum, mass, token) => sum + ((set >> token) & 1 ? mass : 0), 0);
    least = Math.min(least, inside(target) + 1 - inside(draft) ** k);
  }
  return least;
}

describe("the division factor of k-SEQ", () => {
  test("leaves a residual that is nowhere negative and completes the law", () => {
    fc.assert(
      fc.property(pair, draws, ([target, draft], k) => {
        const rho = divisionFactor(target, draft, k);
        const { one, any } = acceptance(target, draft, k, rho);
        fc.pre(one > 0);
        const taken = target.map((p, token) => (Math.min(draft[token]!, p / rho) * any) / one);
        for (const [token, p] of target.entries()) expect(p - taken[token]!).toBeGreaterThan(-1e-9);
        expect(taken.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(any, 12);
      }),
    );
  });

  test("is the least: a smaller one would leave less than nothing somewhere", () => {
    fc.assert(
      fc.property(pair, fc.integer({ min: 2, max: 5 }), ([target, draft], k) => {
        const rho = divisionFactor(target, draft, k);
        fc.pre(rho > 1.01);
        const { one, any } = acceptance(target, draft, k, rho - 0.005);
        expect(any).toBeGreaterThan((rho - 0.005) * one);
      }),
    );
  });

  test("accepts at least 1 - (1 - 1/k)^k of what any rule could, and never less with more draws", () => {
    fc.assert(
      fc.property(pair, draws, ([target, draft], k) => {
        const any = (count: number) =>
          acceptance(target, draft, count, divisionFactor(target, draft, count)).any;
        expect(any(k)).toBeGreaterThanOrEqual((1 - (1 - 1 / k) ** k) * optimum(target, draft, k) - 1e-9);
        expect(any(k)).toBeLessThanOrEqual(optimum(target, draft, k) + 1e-9);
        expect(any(k + 1)).toBeGreaterThanOrEqual(any(k) - 1e-9);
      }),
    );
  });

  test("is 1 and accepts everything where the draft's law is the target's", () => {
    fc.assert(
      fc.property(law(4), draws, (same, k) => {
        expect(divisionFactor(same, same, k)).toBe(1);
        expect(acceptance(same, same, k, 1).any).toBeCloseTo(1, 12);
      }),
    );
  });

  test("accepts nothing from a law of other tokens", () => {
    const [target, draft] = [
      [1, 0],
      [0, 1],
    ] as const;
    expect(acceptance(target, draft, 3, divisionFactor(target, draft, 3)).any).toBe(0);
  });
});
