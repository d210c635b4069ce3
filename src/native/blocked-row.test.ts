import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockedRow, blockLength } from "./blocked-row.js";

function softmax(logits: readonly number[]): Float32Array {
  const largest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Float32Array.from(weights, (weight) => weight / sum);
}

/** Sums of whole blocks in single precision, as the graph gives them. */
function rowOf(probabilities: Float32Array): BlockedRow {
  const sums = new Float32Array(Math.floor(probabilities.length / blockLength));
  for (const [index, probability] of probabilities.entries()) {
    const block = Math.floor(index / blockLength);
    if (block < sums.length) sums[block] = sums[block]! + probability;
  }
  return new BlockedRow(probabilities, sums);
}

const logitRows = fc.array(fc.float({ min: -40, max: 40, noNaN: true }), { minLength: 1, maxLength: 700 });

describe("BlockedRow", () => {
  it("finds the greatest logit, the lowest index among equals", () => {
    fc.assert(
      fc.property(logitRows, (values) => {
        const logits = Float32Array.from(values);
        const largest = logits.reduce((left, right) => Math.max(left, right));
        expect(rowOf(softmax([...logits])).largest(logits)).toBe(logits.indexOf(largest));
      }),
    );
  });

  it("finds the lowest of many equal logits over several blocks", () => {
    const logits = new Float32Array(5 * blockLength + 3);
    logits[300] = 1;
    logits[200] = 1;
    logits[640] = 1;
    expect(rowOf(softmax([...logits])).largest(logits)).toBe(200);
    expect(rowOf(softmax(Array(700).fill(3))).largest(new Float32Array(700).fill(3))).toBe(0);
  });

  it("picks the index that holds the point of the cumulative law", () => {
    fc.assert(
      fc.property(
        logitRows,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (values, uniform) => {
          const probabilities = softmax(values);
          const picked = rowOf(probabilities).pick(uniform);
          let before = 0;
          for (let index = 0; index < picked; index++) before += probabilities[index]!;
          expect(probabilities[picked]).toBeGreaterThan(0);
          // Sums are rounded: the point may lie a rounding outside.
          expect(uniform).toBeGreaterThan(before - 1e-5);
          expect(uniform).toBeLessThan(before + probabilities[picked]! + 1e-5);
        },
      ),
    );
  });

  it("never picks an entry of probability 0, at either end of the law", () => {
    const probabilities = new Float32Array(3 * blockLength);
    probabilities[150] = 0.25;
    probabilities[151] = 0.75;
    const row = rowOf(probabilities);
    expect(row.pick(0)).toBe(150);
    expect(row.pick(0.25)).toBe(151);
    expect(row.pick(1 - 2 ** -53)).toBe(151);
  });

  it("a NaN makes the total NaN, in a block and in the tail", () => {
    for (const index of [5, 3 * blockLength]) {
      const probabilities = new Float32Array(3 * blockLength + 1).fill(1e-3);
      probabilities[index] = Number.NaN;
      expect(rowOf(probabilities).total).toBeNaN();
    }
  });
});
