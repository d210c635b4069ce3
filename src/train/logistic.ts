/** Logistic regression by Newton's method: the calibrated chance of "right" from a few numbers. Deterministic. */
import { StepwrightError } from "../core/errors.js";

export interface LogisticExample {
  readonly features: ArrayLike<number>;
  readonly right: boolean;
}

/** P(right) = sigmoid(weights . features + bias). */
export interface LogisticModel {
  readonly weights: Float32Array;
  readonly bias: number;
}

export interface LogisticOptions {
  /** Strength of the pull of the standardised weights to 0, in examples; keeps separable data finite. Default 1. */
  readonly ridge?: number;
}

const mostRounds = 100;

/** Features are standardised while fitting, and the scale is folded back into the weights. Throws `invalid-option`. */
export function fitLogistic(
  examples: readonly LogisticExample[],
  { ridge = 1 }: LogisticOptions = {},
): LogisticModel {
  if (new Set(examples.map(({ right }) => right)).size < 2) {
    throw new StepwrightError("invalid-option", "a calibration needs right and wrong examples", {
      remedy: "take more questions, or harder ones",
    });
  }
  const width = examples[0]!.features.length;
  const scales = Array.from({ length: width }, (_, feature) => scaleOf(examples, feature));
  const rows = examples.map(({ features }) => [
    1,
    ...scales.map(({ mean, deviation }, feature) => (features[feature]! - mean) / deviation),
  ]);
  let solution = new Array<number>(width + 1).fill(0);
  for (let round = 0; round < mostRounds; round++) {
    const step = newtonStep(rows, examples, solution, ridge);
    solution = solution.map((value, index) => value + step[index]!);
    if (Math.max(...step.map(Math.abs)) < 1e-9) break;
  }
  const [bias = 0, ...standardised] = solution;
  const weights = Float32Array.from(standardised, (value, feature) => value / scales[feature]!.deviation);
  const shift = scales.reduce((sum, { mean }, feature) => sum + mean * weights[feature]!, 0);
  return { weights, bias: bias - shift };
}

function scaleOf(examples: readonly LogisticExample[], feature: number) {
  const values = examples.map(({ features }) => features[feature]!);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  // A feature that never changes says nothing, whatever its weight.
  return { mean, deviation: Math.sqrt(variance) || 1 };
}

function newtonStep(
  rows: readonly (readonly number[])[],
  examples: readonly LogisticExample[],
  solution: readonly number[],
  ridge: number,
): number[] {
  const size = solution.length;
  const gradient = solution.map((value, index) => (index === 0 ? 0 : -ridge * value));
  const curvature = Array.from({ length: size }, (_, index) => {
    const line = new Array<number>(size).fill(0);
    // The bias is hardly pulled: it holds how many are right at all.
    line[index] = index === 0 ? 1e-6 : ridge;
    return line;
  });
  for (const [number, row] of rows.entries()) {
    const score = row.reduce((sum, value, index) => sum + value * solution[index]!, 0);
    const chance = 1 / (1 + Math.exp(-score));
    const miss = (examples[number]!.right ? 1 : 0) - chance;
    const weight = chance * (1 - chance);
    for (let one = 0; one < size; one++) {
      gradient[one]! += row[one]! * miss;
      for (let other = 0; other <= one; other++) curvature[one]![other]! += weight * row[one]! * row[other]!;
    }
  }
  for (let one = 0; one < size; one++)
    for (let other = one + 1; other < size; other++) curvature[one]![other] = curvature[other]![one]!;
  return solve(curvature, gradient);
}

/** Gauss with pivots; the matrix is symmetric and positive, so no pivot is zero. */
function solve(matrix: number[][], right: readonly number[]): number[] {
  const size = right.length;
  const rows = matrix.map((line, index) => [...line, right[index]!]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = column + 1; row < size; row++) {
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let at = column; at <= size; at++) rows[row]![at]! -= factor * rows[column]![at]!;
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let row = size - 1; row >= 0; row--) {
    let sum = rows[row]![size]!;
    for (let at = row + 1; at < size; at++) sum -= rows[row]![at]! * solution[at]!;
    solution[row] = sum / rows[row]![row]!;
  }
  return solution;
}
