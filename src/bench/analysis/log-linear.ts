/**
 * y = a + b ln x by least squares, with what is needed to doubt it.
 * Source: card scylla-scaling-laws (arXiv 2505.07858), step 4. Intervals are Student's, which hold for few points.
 */
import { StepwrightError } from "../../core/errors.js";
import { studentQuantile } from "./student.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface LogLinearFit {
  /** y at x = 1, and what a factor of e in x adds. */
  readonly intercept: number;
  readonly slope: number;
  readonly interceptCi95: readonly [low: number, high: number];
  readonly slopeCi95: readonly [low: number, high: number];
  readonly rSquared: number;
  /** True where a squared term is significant (5 %): the law bends within the measured range. */
  readonly bends: boolean;
  /** R² of at least 0.95 and no bend. */
  readonly holds: boolean;
  readonly range: readonly [from: number, to: number];
  readonly points: number;
}

/** Throws `invalid-option` for fewer than four values of x, less than one decade, or x that are not above 0. */
export function fitLogLinear(points: readonly Point[]): LogLinearFit {
  const values = new Set(points.map(({ x }) => x));
  if (points.some(({ x }) => !(x > 0))) throw refused("x must be above 0");
  if (values.size < 4) throw refused(`${values.size} values of x are too few for a law`);
  const range = [Math.min(...values), Math.max(...values)] as const;
  if (range[1] / range[0] < 10) throw refused("x spans less than one decade");
  const xs = points.map(({ x }) => Math.log(x));
  const ys = points.map(({ y }) => y);
  const line = leastSquares([xs.map(() => 1), xs], ys);
  const mean = ys.reduce((sum, y) => sum + y, 0) / ys.length;
  const spread = ys.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  const rSquared = spread === 0 ? 1 : 1 - line.residual / spread;
  const degrees = ys.length - 2;
  const [interceptError, slopeError] = line.errors as [number, number];
  const quantile = studentQuantile(0.975, degrees);
  const [intercept, slope] = line.coefficients as [number, number];
  const bends = isBent(xs, ys);
  return {
    intercept,
    slope,
    interceptCi95: [intercept - quantile * interceptError, intercept + quantile * interceptError],
    slopeCi95: [slope - quantile * slopeError, slope + quantile * slopeError],
    rSquared,
    bends,
    holds: rSquared >= 0.95 && !bends,
    range,
    points: points.length,
  };
}

export interface Extrapolation {
  readonly y: number;
  /** True more than a decade outside the fitted range: such a law must break somewhere. */
  readonly isFar: boolean;
}

export function extrapolate({ intercept, slope, range }: LogLinearFit, x: number): Extrapolation {
  return { y: intercept + slope * Math.log(x), isFar: x > 10 * range[1] || x < range[0] / 10 };
}

function isBent(xs: readonly number[], ys: readonly number[]): boolean {
  const degrees = ys.length - 3;
  if (degrees < 1) return false;
  // Around the middle, so that the columns are not nearly the same.
  const middle = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const centred = xs.map((x) => x - middle);
  const curve = leastSquares([xs.map(() => 1), centred, centred.map((x) => x * x)], ys);
  const error = curve.errors[2]!;
  const scale = Math.max(1e-300, ...ys.map(Math.abs));
  if (Math.abs(curve.coefficients[2]!) < 1e-9 * scale) return false;
  return Math.abs(curve.coefficients[2]!) > studentQuantile(0.975, degrees) * error;
}

/** Ordinary least squares over a few columns: coefficients, their standard errors, the sum of squared residuals. */
function leastSquares(columns: readonly (readonly number[])[], ys: readonly number[]) {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, index) => sum + value * b[index]!, 0);
  const inverse = inverted(columns.map((a) => columns.map((b) => dot(a, b))));
  const products = columns.map((column) => dot(column, ys));
  const coefficients = inverse.map((row) => dot(row, products));
  const residual = ys.reduce((sum, y, row) => {
    const fitted = columns.reduce((total, column, index) => total + coefficients[index]! * column[row]!, 0);
    return sum + (y - fitted) ** 2;
  }, 0);
  const variance = residual / (ys.length - columns.length);
  return { coefficients, errors: inverse.map((row, index) => Math.sqrt(variance * row[index]!)), residual };
}

/** Gauss-Jordan: the matrices here are two or three wide and positive definite. */
function inverted(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, index) => [
    ...row,
    ...Array.from({ length: size }, (_, column) => Number(column === index)),
  ]);
  for (let pivot = 0; pivot < size; pivot++) {
    const divisor = rows[pivot]![pivot]!;
    rows[pivot] = rows[pivot]!.map((value) => value / divisor);
    for (let other = 0; other < size; other++) {
      const factor = rows[other]![pivot]!;
      if (other !== pivot)
        rows[other] = rows[other]!.map((value, index) => value - factor * rows[pivot]![index]!);
    }
  }
  return rows.map((row) => row.slice(size));
}

function refused(problem: string): StepwrightError {
  return new StepwrightError("invalid-option", `no log-linear law can be fitted: ${problem}`, {
    remedy: "measure at least four values of x over a factor of ten or more",
  });
}
