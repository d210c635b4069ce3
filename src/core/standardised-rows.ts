/** Rows of features as a linear model sees them, each feature centred and of spread one; the rows stay as they are. */
import type { Slices } from "./in-turns.js";

/** Of features as the rows are. */
export interface Weighing {
  readonly weights: Float64Array;
  readonly bias: number;
}

/** Coordinates: the weights of standardised features, then the bias of centred ones. */
export interface StandardisedRows {
  readonly width: number;
  /** Each row's standardised features times the solution. */
  forward(solution: Float64Array): Slices<Float64Array>;
  /** The rows' values times their standardised features, summed; the sum of the values last. */
  backward(values: Float64Array): Slices<Float64Array>;
  /** Forward, times the rows' values, and backward, while a row is near. */
  bend(solution: Float64Array, values: Float64Array): Slices<Float64Array>;
  standardised(fit: Weighing): Float64Array;
  plain(solution: Float64Array): Weighing;
}

/** Multiplications between two yields, about two milliseconds. */
const slice = 2_000_000;

/** The rows stay as they are: mean and scale are worked into the solution on the way. */
export function* standardise(rows: readonly Float32Array[]): Slices<StandardisedRows> {
  const width = rows[0]!.length;
  const perSlice = Math.max(1, Math.ceil(slice / (width + 1)));
  const means = new Float64Array(width);
  const scales = new Float64Array(width);
  for (const [index, row] of rows.entries()) {
    for (let at = 0; at < width; at++) means[at]! += row[at]! / rows.length;
    if (index % perSlice === perSlice - 1) yield;
  }
  for (const [index, row] of rows.entries()) {
    for (let at = 0; at < width; at++) scales[at]! += (row[at]! - means[at]!) ** 2 / rows.length;
    if (index % perSlice === perSlice - 1) yield;
  }
  for (let at = 0; at < width; at++) {
    // A feature that never changes says nothing: what rounding left of its spread must not be blown up.
    const least = 1e-6 * Math.abs(means[at]!);
    scales[at] = Math.sqrt(scales[at]!) > least ? Math.sqrt(scales[at]!) : Number.POSITIVE_INFINITY;
  }
  const plain = (solution: Float64Array) => {
    const weights = scales.map((scale, at) => solution[at]! / scale);
    return { weights, bias: solution[width]! - dot(weights, means) };
  };
  const standardisedSums = (sums: Float64Array) => {
    const total = sums[width]!;
    for (let at = 0; at < width; at++) sums[at] = (sums[at]! - means[at]! * total) / scales[at]!;
    return sums;
  };
  return {
    width,
    plain,
    standardised: ({ weights, bias }) => {
      const solution = new Float64Array(width + 1);
      for (let at = 0; at < width; at++)
        solution[at] = scales[at] === Number.POSITIVE_INFINITY ? 0 : weights[at]! * scales[at]!;
      solution[width] = bias + dot(weights, means);
      return solution;
    },
    *forward(solution) {
      const { weights, bias } = plain(solution);
      const sums = new Float64Array(rows.length);
      for (let index = 0; index < rows.length; index++) {
        sums[index] = bias + dotRow(weights, rows[index]!);
        if (index % perSlice === perSlice - 1) yield;
      }
      return sums;
    },
    *backward(values) {
      const sums = new Float64Array(width + 1);
      for (let index = 0; index < rows.length; index++) {
        addRow(sums, values[index]!, rows[index]!);
        if (index % perSlice === perSlice - 1) yield;
      }
      return standardisedSums(sums);
    },
    *bend(solution, values) {
      const { weights, bias } = plain(solution);
      const sums = new Float64Array(width + 1);
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        addRow(sums, values[index]! * (bias + dotRow(weights, row)), row);
        if (index % perSlice === perSlice - 1) yield;
      }
      return standardisedSums(sums);
    },
  };
}

export function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index++) sum += one[index]! * other[index]!;
  return sum;
}

/** Four sums side by side: one alone would wait for itself. */
function dotRow(weights: Float64Array, row: Float32Array): number {
  let [one, two, three, four] = [0, 0, 0, 0];
  const whole = row.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    one += weights[at]! * row[at]!;
    two += weights[at + 1]! * row[at + 1]!;
    three += weights[at + 2]! * row[at + 2]!;
    four += weights[at + 3]! * row[at + 3]!;
  }
  for (let at = whole; at < row.length; at++) one += weights[at]! * row[at]!;
  return one + two + (three + four);
}

/** The row times a value onto the sums, the value itself onto the one behind them. */
function addRow(sums: Float64Array, value: number, row: Float32Array): void {
  for (let at = 0; at < row.length; at++) sums[at]! += value * row[at]!;
  sums[row.length]! += value;
}
