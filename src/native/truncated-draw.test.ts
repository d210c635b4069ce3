import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keptCount, pickAmong, type Truncation, truncates } from "./truncated-draw.js";

const off: Truncation = { topK: 0, topP: 1, minP: 0 };

/** The definition, applied to the whole law. */
function keptByDefinition(law: readonly number[], { topK, topP, minP }: Truncation): number {
  let kept = topK > 0 ? law.slice(0, topK) : [...law];
  const mass = kept.reduce((sum, probability) => sum + probability, 0);
  if (topP < 1) {
    let sum = 0;
    const end = kept.findIndex((probability) => {
      sum += probability;
      return sum >= topP * mass;
    });
    if (end >= 0) kept = kept.slice(0, end + 1);
  }
  return kept.filter((probability, index) => index === 0 || probability >= minP * kept[0]!).length;
}

const laws = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 40 }).map((weights) => {
  const sorted = weights.toSorted((left, right) => right - left);
  const sum = sorted.reduce((total, weight) => total + weight, 0);
  return sorted.map((weight) => Math.fround(weight / sum));
});
const truncations = fc.record({
  topK: fc.integer({ min: 0, max: 50 }),
  topP: fc.constantFrom(0, 0.1, 0.333, 0.5, 0.9, 0.99, 1),
  minP: fc.constantFrom(0, 0.01, 0.05, 0.3, 1),
});

describe("truncation", () => {
  it("keeps what the definition keeps, when the whole law is given", () => {
    fc.assert(
      fc.property(laws, truncations, (law, truncation) => {
        const total = law.reduce((sum, probability) => sum + probability, 0);
        expect(keptCount(Float32Array.from(law), total, true, truncation)).toBe(
          keptByDefinition(law, truncation),
        );
      }),
    );
  });

  it("decides the same from the head of the law, or asks for more", () => {
    fc.assert(
      fc.property(laws, truncations, fc.integer({ min: 1, max: 39 }), (law, truncation, given) => {
        fc.pre(given < law.length);
        const total = law.reduce((sum, probability) => sum + probability, 0);
        const count = keptCount(Float32Array.from(law.slice(0, given)), total, false, truncation);
        if (count !== undefined) expect(count).toBe(keptByDefinition(law, truncation));
        // A top-k beyond the head needs the mass of all k, whatever top-p then keeps.
        else
          expect(Math.max(keptByDefinition(law, truncation), truncation.topK)).toBeGreaterThanOrEqual(given);
      }),
    );
  });

  it("top-p 0 and min-p 1 keep the best token", () => {
    const law = Float32Array.of(0.5, 0.3, 0.2);
    expect(keptCount(law, 1, true, { ...off, topP: 0 })).toBe(1);
    expect(keptCount(law, 1, true, { ...off, minP: 1 })).toBe(1);
  });

  it("is off at 0, 1 and 0", () => {
    expect(truncates(off)).toBe(false);
    expect(truncates({ ...off, topK: 1 })).toBe(true);
    expect(truncates({ ...off, topP: 0.9 })).toBe(true);
    expect(truncates({ ...off, minP: 0.1 })).toBe(true);
  });

  it("renormalises what is kept", () => {
    const law = Float32Array.of(0.5, 0.25, 0.125, 0.125);
    expect(pickAmong(law, 2, 0.6)).toBe(0);
    expect(pickAmong(law, 2, 0.67)).toBe(1);
    expect(pickAmong(law, 2, 1 - 2 ** -32)).toBe(1);
  });

  it("never picks an entry of probability 0", () => {
    expect(pickAmong(Float32Array.of(1, 0, 0), 3, 1 - 2 ** -32)).toBe(0);
  });
});
