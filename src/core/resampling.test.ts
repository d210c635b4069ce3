import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { particleReference } from "../../test/fixtures/particle-reference.js";
import { keyedUniform } from "./random.js";
import { resample, resamplingSchemes } from "./resampling.js";
import { softmax } from "./weights.js";

const law = [0.05, 0.3, 0.15, 0.5];

describe.each(resamplingSchemes)("%s", (scheme) => {
  test("particle card: resampled counts have mean N x p, by chi-square over 10^4 draws", () => {
    const count = 5;
    const rounds = 2000;
    const seen = law.map(() => 0);
    for (let round = 0; round < rounds; round++) {
      const uniform = (index: number) => keyedUniform(round, "r", index, scheme);
      for (const index of resample(scheme, law, count, uniform)) seen[index]!++;
    }
    const total = count * rounds;
    const statistic = seen.reduce(
      (sum, n, index) => sum + (n - total * law[index]!) ** 2 / (total * law[index]!),
      0,
    );
    // 99.9 % point of chi-square with 3 degrees of freedom; the other schemes vary less than independent draws.
    expect(statistic).toBeLessThan(16.27);
  });

  test("gives as many as asked, of those that can be drawn", () => {
    const anyLaw = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(anyLaw, fc.integer({ min: 1, max: 70 }), fc.nat(), (logWeights, count, seed) => {
        const p = softmax(logWeights);
        const drawn = resample(scheme, p, count, (index) => keyedUniform(seed, "r", index, scheme));
        expect(drawn).toHaveLength(count);
        for (const index of drawn) expect(p[index]).toBeGreaterThan(0);
      }),
    );
  });
});

test.each(["systematic", "residual"] as const)("particle card: %s counts stay near N x p", (scheme) => {
  for (let seed = 0; seed < 500; seed++) {
    const drawn = resample(scheme, law, 16, (index) => keyedUniform(seed, "r", index, scheme));
    for (const [index, p] of law.entries()) {
      const count = drawn.filter((other) => other === index).length;
      if (scheme === "systematic") expect(Math.abs(count - 16 * p)).toBeLessThan(1);
      else expect(count).toBeGreaterThanOrEqual(Math.floor(16 * p));
    }
  }
});

test("parity: the reference's choices for the same scores and random numbers", () => {
  for (const { law: p, uniforms, multinomial, systematic } of particleReference) {
    const uniform = (index: number) => uniforms[index]!;
    expect(resample("multinomial", p, p.length, uniform)).toEqual(multinomial);
    expect(resample("systematic", p, p.length, uniform)).toEqual(systematic);
  }
});
