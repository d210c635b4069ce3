import { expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { fitLogistic, type LogisticExample } from "./logistic.js";

/** Draws whose chance of "right" is the logistic of 2x - y + 0.5; the features differ in scale and place. */
function drawn(count: number): LogisticExample[] {
  return Array.from({ length: count }, (_, index) => {
    const [x, y, coin] = [0, 1, 2].map((at) => keyedUniform(7, `example ${index}`, at, "test")) as [
      number,
      number,
      number,
    ];
    const [first, second] = [4 * x - 2, 300 + 4 * y];
    const chance = 1 / (1 + Math.exp(-(2 * first - (second - 300) + 0.5)));
    return { features: [first, second], right: coin < chance };
  });
}

test("finds the law that the examples were drawn from", () => {
  const { weights, bias } = fitLogistic(drawn(20_000));
  expect(weights[0]).toBeCloseTo(2, 0);
  expect(weights[1]).toBeCloseTo(-1, 0);
  expect(bias + weights[1]! * 300).toBeCloseTo(0.5, 0);
});

test("is calibrated: the mean chance is the share that is right", () => {
  const examples = drawn(3000);
  const { weights, bias } = fitLogistic(examples);
  const chance = ({ features }: LogisticExample) =>
    1 / (1 + Math.exp(-(weights[0]! * features[0]! + weights[1]! * features[1]! + bias)));
  const mean = examples.reduce((sum, example) => sum + chance(example), 0) / examples.length;
  const right = examples.filter((example) => example.right).length / examples.length;
  expect(mean).toBeCloseTo(right, 3);
});

test("stays finite on examples that a line divides, and on a feature that never changes", () => {
  const examples = Array.from({ length: 40 }, (_, index) => ({ features: [index, 3], right: index >= 20 }));
  const { weights, bias } = fitLogistic(examples);
  expect([...weights, bias].every(Number.isFinite)).toBe(true);
  expect(weights[0]).toBeGreaterThan(0);
  expect(weights[1]).toBe(0);
});

test("the same examples give the same bits", () => {
  expect(fitLogistic(drawn(500))).toEqual(fitLogistic(drawn(500)));
});

test("is refused without both kinds", () => {
  expect(() => fitLogistic([{ features: [1], right: true }])).toThrow(
    expect.objectContaining({ code: "invalid-option" }),
  );
});
