import fc from "fast-check";
import { expect, test } from "vitest";
import { calibrated } from "./calibration-table.js";

const numbers = (...values: number[]) => Float32Array.from(values);

test("is straight between its points and constant beyond them", () => {
  const table = { inputs: numbers(0.25, 0.5, 0.5, 0.75), outputs: numbers(0, 0.5, 0.75, 1) };
  expect([0, 0.25, 0.375, 0.5, 0.625, 0.75, 1].map((value) => calibrated(table, value))).toEqual([
    0, 0, 0.25, 0.75, 0.875, 1, 1,
  ]);
});

test("never falls and never leaves its outputs", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const table = fc.integer({ min: 1, max: 6 }).chain((length) =>
    fc.record({
      inputs: fc.array(share, { minLength: length, maxLength: length }),
      outputs: fc.array(share, { minLength: length, maxLength: length }),
    }),
  );
  fc.assert(
    fc.property(table, share, share, ({ inputs, outputs }, one, other) => {
      const points = { inputs: numbers(...inputs).sort(), outputs: numbers(...outputs).sort() };
      const [low, high] = [Math.min(one, other), Math.max(one, other)].map((at) => calibrated(points, at));
      expect(low!).toBeLessThanOrEqual(high!);
      expect(low!).toBeGreaterThanOrEqual(points.outputs[0]!);
      expect(high!).toBeLessThanOrEqual(points.outputs.at(-1)!);
    }),
  );
});
