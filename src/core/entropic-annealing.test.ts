import { expect, test } from "vitest";
import { particleReference } from "../../test/fixtures/particle-reference.js";
import { annealedTemperature } from "./entropic-annealing.js";

const settings = { below: 0.5, early: 0.5 };

test.each(["ess", "entropy", "linear"] as const)("parity with the reference's temperatures: %s", (rule) => {
  for (const { law, temperatures } of particleReference) {
    for (const expected of temperatures) {
      const found = annealedTemperature(law, expected.round / 40, { rule, ...settings });
      // The reference clips probabilities at 1e-7.
      expect(found / expected[rule]).toBeCloseTo(1, 3);
    }
  }
});

test("off, late, alone or diverse: nothing is flattened", () => {
  expect(annealedTemperature([0.99, 0.01], 0.1, { rule: "off", ...settings })).toBe(1);
  expect(annealedTemperature([0.99, 0.01], 0.5, { rule: "ess", ...settings })).toBe(1);
  expect(annealedTemperature([1], 0.1, { rule: "ess", ...settings })).toBe(1);
  expect(annealedTemperature([0.6, 0.4], 0.1, { rule: "ess", ...settings })).toBe(1);
});
