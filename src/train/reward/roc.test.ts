import fc from "fast-check";
import { expect, test } from "vitest";
import { auroc } from "../../core/reliability.js";
import { rocCurve } from "./roc.js";

const judged = fc.array(
  fc.record({ reward: fc.integer({ min: 0, max: 9 }).map((tenth) => tenth / 10), right: fc.boolean() }),
  { minLength: 2, maxLength: 60 },
);

test("the area under the curve is the AUROC", () => {
  fc.assert(
    fc.property(judged, (steps) => {
      const points = rocCurve(steps);
      const value = auroc(steps);
      if (value === null) {
        expect(points).toEqual([]);
        return;
      }
      let area = 0;
      for (const [index, [wrong, right]] of points.entries()) {
        const [before, below] = points[index - 1] ?? [0, 0];
        expect(wrong).toBeGreaterThanOrEqual(before);
        expect(right).toBeGreaterThanOrEqual(below);
        area += ((wrong - before) * (right + below)) / 2;
      }
      expect(points.at(-1)).toEqual([1, 1]);
      expect(area).toBeCloseTo(value, 9);
    }),
  );
});

test("a long curve is drawn with fewer points, its ends kept", () => {
  const steps = Array.from({ length: 5000 }, (_, index) => ({ reward: index / 5000, right: index % 3 > 0 }));
  const points = rocCurve(steps);
  expect(points.length).toBeLessThanOrEqual(202);
  expect([points[0], points.at(-1)]).toEqual([
    [0, 0],
    [1, 1],
  ]);
});
