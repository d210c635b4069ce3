import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TreeRow } from "./model.js";
import { ResidualLaw } from "./residual-law.js";

const outside = { token: 99, logprob: -9 };
const row = (probabilities: number[], other: TreeRow["outside"] = outside): TreeRow => ({
  draw: { token: 0, logprob: 0 },
  probabilities,
  logprobs: probabilities.map(Math.log),
  outside: other,
  entropy: 1,
});

describe("the residual law", () => {
  test("loses a draft's law and is normalised again, tokens outside included", () => {
    const law = ResidualLaw.ofRow(row([0.4, 0.2]), [7, 8]);
    expect(law.outside).toBeCloseTo(0.4, 12);
    const left = law.minus({ tokens: [7, 8], probabilities: [0.1, 0.9] });
    expect(left.probability(7)).toBeCloseTo(0.3 / 0.7, 12);
    expect(left.probability(8)).toBe(0);
    expect(left.outside).toBeCloseTo(0.4 / 0.7, 12);
  });

  test("never writes a token of probability 0, whatever the random number", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-12, max: 1, noNaN: true })), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.boolean(),
        (masses, uniform, closed) => {
          const total = masses.reduce((sum, mass) => sum + mass, 0);
          fc.pre(total > 0);
          const law = ResidualLaw.ofRow(
            row(
              masses.map((mass) => mass / (closed ? total : total + 0.5)),
              closed ? null : outside,
            ),
            masses.map((_, index) => index),
          );
          const { token } = law.write(row(masses.map((mass) => mass / total)), uniform);
          expect(token === 99 ? law.outside : masses[token]).toBeGreaterThan(0);
        },
      ),
    );
  });

  test("stays as it was where rounding alone refused a draft", () => {
    const law = ResidualLaw.ofRow(row([0.25, 0.75], null), [1, 2]);
    expect(law.minus({ tokens: [1, 2], probabilities: [0.25, 0.75] })).toBe(law);
  });

  test("has no mass outside where the row says that nothing is left, though its sum misses 1", () => {
    expect(ResidualLaw.ofRow(row([0.5, 0.5 - 1e-9], null), [1, 2]).outside).toBe(0);
  });
});
