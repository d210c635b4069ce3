import { describe, expect, test } from "vitest";
import { generator } from "../../core/generator.js";
import { extrapolate, fitLogLinear } from "./log-linear.js";
import { studentQuantile } from "./student.js";

const xs = [1e6, 3e6, 1e7, 3e7, 1e8, 3e8];

describe("a log-linear law (card scylla-scaling-laws, What must hold)", () => {
  test("is found exactly where it holds exactly", () => {
    const fit = fitLogLinear(xs.map((x) => ({ x, y: 2 + 0.3 * Math.log(x) })));
    expect(fit.intercept).toBeCloseTo(2, 8);
    expect(fit.slope).toBeCloseTo(0.3, 10);
    expect(fit).toMatchObject({ bends: false, holds: true, points: 6 });
    expect(fit.rSquared).toBeCloseTo(1, 10);
  });

  test("has intervals that hold the truth about 95 times in 100, with few points too", () => {
    const random = generator("noise");
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let [slopes, intercepts] = [0, 0];
    for (let round = 0; round < 1000; round++) {
      const fit = fitLogLinear(xs.slice(0, 5).map((x) => ({ x, y: 1 + 0.2 * Math.log(x) + 0.1 * normal() })));
      if (fit.slopeCi95[0] <= 0.2 && 0.2 <= fit.slopeCi95[1]) slopes++;
      if (fit.interceptCi95[0] <= 1 && 1 <= fit.interceptCi95[1]) intercepts++;
    }
    for (const covered of [slopes, intercepts]) {
      expect(covered / 1000).toBeGreaterThan(0.93);
      expect(covered / 1000).toBeLessThan(0.97);
    }
  });

  test("that bends is told", () => {
    const bent = fitLogLinear(
      xs.map((x, index) => ({ x, y: Math.min(1.9, 1 + 0.3 * Math.log(x / 1e6)) + 0.001 * (index % 2) })),
    );
    expect(bent).toMatchObject({ bends: true, holds: false });
  });

  test("is refused for few points or a narrow range, and warned of far outside it", () => {
    const line = (values: number[]) => values.map((x) => ({ x, y: Math.log(x) }));
    expect(() => fitLogLinear(line([1, 10, 100]))).toThrow("3 values of x are too few");
    expect(() => fitLogLinear(line([1, 2, 3, 4, 5]))).toThrow("less than one decade");
    expect(() => fitLogLinear(line([0, 1, 10, 100]))).toThrow("above 0");
    const fit = fitLogLinear(line([1, 4, 16, 64]));
    expect(extrapolate(fit, 600)).toMatchObject({ isFar: false });
    expect(extrapolate(fit, 700).isFar).toBe(true);
    expect(extrapolate(fit, 100).y).toBeCloseTo(Math.log(100), 8);
  });
});

test("Student's quantiles are those of the tables", () => {
  for (const [degrees, quantile] of [
    [1, 12.7062],
    [2, 4.3027],
    [3, 3.1824],
    [4, 2.7764],
    [9, 2.2622],
    [30, 2.0423],
  ] as const) {
    expect(studentQuantile(0.975, degrees)).toBeCloseTo(quantile, 4);
    expect(studentQuantile(0.025, degrees)).toBeCloseTo(-quantile, 4);
  }
});
