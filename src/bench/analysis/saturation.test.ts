import { describe, expect, test } from "vitest";
import { generator } from "../../core/generator.js";
import {
  betaModel,
  fitBeta,
  fitSaturation,
  fitSingle,
  type Outcome,
  saturationPoint,
  singleModel,
} from "./saturation.js";

describe("the saturation point (card ttspm, What must hold)", () => {
  test.each([
    [0.3, 1, 0.01, 10],
    [0.1, 1, 0.01, 22],
    [0.05, 0.9, 0.005, 43],
  ])("of p = %f, ceiling %f, epsilon %f is %i", (chance, reachable, epsilon, expected) => {
    const model = singleModel(reachable, chance);
    const point = saturationPoint(model, epsilon);
    expect(point).toBe(expected);
    expect(model.gain(point)).toBeLessThanOrEqual(epsilon);
    expect(model.gain(point - 1)).toBeGreaterThan(epsilon);
    // The closed form.
    expect(point).toBe(Math.ceil(Math.log(epsilon / (reachable * chance)) / Math.log(1 - chance)));
  });

  test("falls with a larger epsilon, and is 1 where the first sample gains little", () => {
    const model = singleModel(0.8, 0.2);
    const points = [0.001, 0.01, 0.05].map((epsilon) => saturationPoint(model, epsilon));
    expect(points).toEqual([...points].sort((a, b) => b - a));
    expect(saturationPoint(singleModel(0.05, 0.1), 0.01)).toBe(1);
    expect(saturationPoint(singleModel(0, 0), 0.01)).toBe(1);
  });
});

test("curves start at the mean chance, rise, bend down and end at their ceiling", () => {
  for (const [model, first, last] of [
    [singleModel(0.7, 0.25), 0.175, 0.7],
    [betaModel(2, 6), 0.25, 1],
  ] as const) {
    expect(model.solved(1)).toBeCloseTo(first, 10);
    for (let samples = 1; samples < 40; samples++) {
      expect(model.solved(samples + 1) - model.solved(samples)).toBeCloseTo(model.gain(samples), 10);
      expect(model.gain(samples + 1)).toBeLessThan(model.gain(samples));
    }
    expect(model.solved(1e9)).toBeCloseTo(last, 6);
  }
});

test("a narrow beta law is the single chance", () => {
  expect(betaModel(3e5, 7e5).solved(5)).toBeCloseTo(singleModel(1, 0.3).solved(5), 4);
});

function drawn(
  questions: number,
  samples: number,
  chanceOf: (random: () => number) => number,
  name: string,
): Outcome[] {
  const random = generator(name);
  return Array.from({ length: questions }, () => {
    const chance = chanceOf(random);
    let right = 0;
    for (let sample = 0; sample < samples; sample++) if (random() < chance) right++;
    return { samples, right };
  });
}

describe("the fit", () => {
  test("finds ceiling and chance again, and its interval holds the true point", () => {
    const outcomes = drawn(400, 8, (random) => (random() < 0.8 ? 0.3 : 0), "single");
    const [reachable, chance] = fitSingle(outcomes).parameters;
    expect(Math.abs(reachable - 0.8)).toBeLessThan(0.06);
    expect(Math.abs(chance - 0.3)).toBeLessThan(0.03);
    const [best] = fitSaturation(outcomes, 0.01);
    expect(best!.model.kind).toBe("single");
    const truth = saturationPoint(singleModel(0.8, 0.3), 0.01);
    expect(best!.saturationCi95[0]).toBeLessThanOrEqual(truth);
    expect(best!.saturationCi95[1]).toBeGreaterThanOrEqual(truth);
  });

  test("prefers the beta law where questions differ, and foretells many samples from eight", () => {
    // Beta(1/2, 2): the square of a normal over a sum, drawn as a ratio of gammas.
    const beta = (random: () => number) => {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      const half = normal ** 2 / 2;
      return half / (half - Math.log(1 - random()) - Math.log(1 - random()));
    };
    const outcomes = drawn(1500, 8, beta, "beta");
    const [a, b] = fitBeta(outcomes).parameters;
    expect(Math.abs(a - 0.5)).toBeLessThan(0.15);
    expect(Math.abs(b - 2)).toBeLessThan(0.7);
    const [best, other] = fitSaturation(outcomes, 0.01);
    expect(best!.model.kind).toBe("beta");
    const truth = betaModel(0.5, 2);
    expect(Math.abs(best!.model.solved(32) - truth.solved(32))).toBeLessThan(0.03);
    expect(other!.saturation).toBeLessThan(saturationPoint(truth, 0.01));
  });

  test("of nothing right says so without dividing by zero", () => {
    const outcomes = Array.from({ length: 10 }, () => ({ samples: 4, right: 0 }));
    expect(fitSingle(outcomes).parameters).toEqual([0, 0]);
    for (const { saturation } of fitSaturation(outcomes, 0.01)) expect(saturation).toBe(1);
  });
});
