/** Logistic regression by Newton's method, for the small fits that thresholds and filters need. */
import { StepwrightError } from "./errors.js";

export interface LogisticFit {
  /** One for each feature. */
  readonly weights: readonly number[];
  readonly bias: number;
}

/** In [0, 1]: how likely the label is 1. */
export function logisticValue({ weights, bias }: LogisticFit, features: readonly number[]): number {
  const sum = weights.reduce((total, weight, index) => total + weight * features[index]!, bias);
  return 1 / (1 + Math.exp(-sum));
}

/**
 * The most likely fit of labels 0 and 1 (or shares between them) to rows of features. `ridge` pulls the weights,
 * not the bias, towards 0, so that separable data have a finite fit too. Throws `invalid-option` where there is
 * nothing to fit.
 */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  { ridge = 1e-3, iterations = 50 } = {},
): LogisticFit {
  const width = (rows[0]?.length ?? 0) + 1;
  if (rows.length !== labels.length || rows.length < width || rows.some((row) => row.length !== width - 1)) {
    throw new StepwrightError("invalid-option", `${rows.length} rows of features cannot be fitted`, {
      remedy: "give one label per row, rows of one length, and more rows than features",
    });
  }
  let fit = new Array<number>(width).fill(0);
  for (let round = 0; round < iterations; round++) {
    const gradient = fit.map((weight, index) => (index < width - 1 ? -ridge * weight : 0));
    const curvature = fit.map((_, index) =>
      fit.map((_, other) => (index === other && index < width - 1 ? ridge : 0)),
    );
    for (const [at, row] of rows.entries()) {
      const extended = [...row, 1];
      const p = 1 / (1 + Math.exp(-extended.reduce((sum, value, index) => sum + value * fit[index]!, 0)));
      const weight = Math.max(p * (1 - p), 1e-9);
      for (let index = 0; index < width; index++) {
        gradient[index]! += (labels[at]! - p) * extended[index]!;
        for (let other = 0; other < width; other++) {
          curvature[index]![other]! += weight * extended[index]! * extended[other]!;
        }
      }
    }
    const step = solve(curvature, gradient);
    // A full Newton step may overshoot where labels are nearly separable.
    const scale = Math.min(1, 5 / Math.max(...step.map(Math.abs), 1e-12));
    fit = fit.map((weight, index) => weight + scale * step[index]!);
    if (Math.max(...step.map(Math.abs)) < 1e-10) break;
  }
  return { weights: fit.slice(0, -1), bias: fit.at(-1)! };
}

/** Gaussian elimination with pivoting; `matrix` is positive definite here. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index]!]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let at = column; at <= size; at++) rows[row]![at]! -= factor * rows[column]![at]!;
    }
  }
  return rows.map((row, index) => row[size]! / row[index]!);
}
