import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aggregate, aggregations } from "./reward.js";

const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

describe("aggregate", () => {
  test("product <= min <= last <= 1, and min <= mean <= 1", () => {
    fc.assert(
      fc.property(scores, (values) => {
        const [min, product, last, mean] = aggregations.map((kind) => aggregate(kind, values)) as [
          number,
          number,
          number,
          number,
        ];
        expect(product).toBeLessThanOrEqual(min);
        expect(min).toBeLessThanOrEqual(last);
        expect(min).toBeLessThanOrEqual(mean + 1e-12);
        expect(Math.max(last, mean - 1e-12)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("all agree on one step, and on none", () => {
    for (const kind of aggregations) {
      expect(aggregate(kind, [0.3])).toBeCloseTo(0.3, 15);
      expect(aggregate(kind, [])).toBe(1);
    }
  });

  test("each is what it is called", () => {
    const values = [0.5, 0.2, 0.8];
    expect(aggregate("min", values)).toBe(0.2);
    expect(aggregate("product", values)).toBeCloseTo(0.08, 15);
    expect(aggregate("last", values)).toBe(0.8);
    expect(aggregate("mean", values)).toBeCloseTo(0.5, 15);
  });
});
