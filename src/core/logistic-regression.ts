/**
 * Logistic regression with a ridge, from one feature to whole hidden states: Newton's method whose steps are found by
 * conjugate gradients, so that no matrix is made. Deterministic.
 * Source: Lin, Weng and Keerthi, "Trust region Newton method for large-scale logistic regression", 2008 (the inner solver).
 */
import { StepwrightError } from "./errors.js";
import { atOnce, inTurns, type Slices } from "./in-turns.js";
import { dot, type StandardisedRows, standardise, type Weighing } from "./standardised-rows.js";

export interface LogisticData {
  /** One length for all. */
  readonly rows: readonly Float32Array[];
  /** 0 and 1, or shares between them. */
  readonly labels: ArrayLike<number>;
  /** How much each row counts; 1 by default. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** Its sum is the log-odds. */
export type LogisticFit = Weighing;

export interface LogisticOptions {
  /**
   * Pull of the weights of standardised features towards 0, in rows: one for all features, or one each. Keeps separable
   * data finite. Default 1.
   */
  readonly ridge?: number | ArrayLike<number>;
  /** Ends when the gradient is this share of what it was at the start from nothing. Default 1e-9. */
  readonly tolerance?: number;
  /** A fit that is near: of the same data with another ridge. */
  readonly start?: LogisticFit | undefined;
}

const mostRounds = 100;
const mostDirections = 250;

/** The log-odds that the label is 1. */
export function logisticScore({ weights, bias }: LogisticFit, features: ArrayLike<number>): number {
  let sum = bias;
  for (let feature = 0; feature < weights.length; feature++) sum += weights[feature]! * features[feature]!;
  return sum;
}

/** In [0, 1]: how likely the label is 1. */
export function logisticValue(fit: LogisticFit, features: ArrayLike<number>): number {
  return 1 / (1 + Math.exp(-logisticScore(fit, features)));
}

/** The most likely fit. Throws `invalid-option` where there is nothing to fit. */
export function fitLogistic(data: LogisticData, options?: LogisticOptions): LogisticFit {
  return atOnce(newton(data, options));
}

/** The same in turns of the event loop. */
export function fitLogisticInTurns(
  data: LogisticData,
  options?: LogisticOptions & { readonly signal?: AbortSignal | undefined },
): Promise<LogisticFit> {
  return inTurns(newton(data, options), options?.signal);
}

function* newton(
  data: LogisticData,
  { ridge = 1, tolerance = 1e-9, start }: LogisticOptions = {},
): Slices<LogisticFit> {
  refuse(data);
  const design = yield* standardise(data.rows);
  const { width } = design;
  const count = data.rows.length;
  const pulls = Float64Array.from({ length: width }, (_, feature) =>
    typeof ridge === "number" ? ridge : ridge[feature]!,
  );
  const weightOf = (row: number) => data.weights?.[row] ?? 1;

  const gradientAt = function* (scores: Float64Array, solution: Float64Array): Slices<Float64Array> {
    const misses = scores.map((score, row) => weightOf(row) * (chance(score) - data.labels[row]!));
    return pulled(yield* design.backward(misses), solution, pulls);
  };
  const fromNothing = yield* gradientAt(new Float64Array(count), new Float64Array(width + 1));
  const enough = tolerance * norm(fromNothing);

  let solution: Float64Array = start ? design.standardised(start) : new Float64Array(width + 1);
  let scores = yield* design.forward(solution);
  for (let round = 0; round < mostRounds; round++) {
    const gradient = yield* gradientAt(scores, solution);
    const size = norm(gradient);
    if (size <= enough) break;
    const curvature = scores.map((score, row) => weightOf(row) * chance(score) * chance(-score));
    const exactness = Math.min(0.25, Math.sqrt(size / norm(fromNothing))) * size;
    const step = yield* direction(design, curvature, pulls, gradient, exactness);
    const alongRows = yield* design.forward(step);
    const length = stepLength({ data, scores, alongRows, solution, step, gradient, pulls, weightOf });
    if (length === 0) break;
    solution = solution.map((value, index) => value + length * step[index]!);
    scores = scores.map((score, row) => score + length * alongRows[row]!);
  }
  return design.plain(solution);
}

/** Conjugate gradients on curvature x step = -gradient, preconditioned by the diagonal of standardised features. */
function* direction(
  design: StandardisedRows,
  curvature: Float64Array,
  pulls: Float64Array,
  gradient: Float64Array,
  exactness: number,
): Slices<Float64Array> {
  const mass = curvature.reduce((sum, value) => sum + value, 0);
  const diagonal = gradient.map((_, index) => Math.max(mass + (pulls[index] ?? 0), 1e-12));
  const step = new Float64Array(gradient.length);
  const rest = gradient.map((value) => -value);
  let conditioned = rest.map((value, index) => value / diagonal[index]!);
  let towards = conditioned.slice();
  let product = dot(rest, conditioned);
  for (let round = 0; round < mostDirections && norm(rest) > exactness; round++) {
    const bent = pulled(yield* design.bend(towards, curvature), towards, pulls);
    const bend = dot(towards, bent);
    if (!(bend > 0)) break;
    const length = product / bend;
    for (let index = 0; index < step.length; index++) {
      step[index]! += length * towards[index]!;
      rest[index]! -= length * bent[index]!;
    }
    conditioned = rest.map((value, index) => value / diagonal[index]!);
    const next = dot(rest, conditioned);
    towards = towards.map((value, index) => conditioned[index]! + (next / product) * value);
    product = next;
  }
  return step;
}

interface Line {
  readonly data: LogisticData;
  readonly scores: Float64Array;
  readonly alongRows: Float64Array;
  readonly solution: Float64Array;
  readonly step: Float64Array;
  readonly gradient: Float64Array;
  readonly pulls: Float64Array;
  readonly weightOf: (row: number) => number;
}

/** Halved until the loss falls as far as the slope promises (Armijo); 0 where rounding leaves nothing to gain. */
function stepLength(line: Line): number {
  const { data, scores, alongRows, solution, step, gradient, pulls, weightOf } = line;
  const slope = dot(gradient, step);
  const lossAt = (length: number) => {
    let loss = 0;
    for (let row = 0; row < scores.length; row++) {
      const score = scores[row]! + length * alongRows[row]!;
      loss += weightOf(row) * crossEntropy(score, data.labels[row]!);
    }
    for (let index = 0; index < pulls.length; index++) {
      loss += (pulls[index]! / 2) * (solution[index]! + length * step[index]!) ** 2;
    }
    return loss;
  };
  const before = lossAt(0);
  for (let length = 1; length > 1e-10; length /= 2) {
    if (lossAt(length) <= before + 1e-4 * length * slope) return length;
  }
  return 0;
}

/** In nats, of log-odds against a label in [0, 1]. */
export function crossEntropy(score: number, label: number): number {
  return Math.max(score, 0) - score * label + Math.log1p(Math.exp(-Math.abs(score)));
}

function refuse({ rows, labels, weights }: LogisticData): void {
  const width = rows[0]?.length;
  const fits = labels.length === rows.length && (weights?.length ?? rows.length) === rows.length;
  if (width === undefined || !fits || rows.some((row) => row.length !== width)) {
    throw new StepwrightError("invalid-option", `${rows.length} rows of features cannot be fitted`, {
      remedy: "give one label per row, and rows of one length",
    });
  }
  if ([0, 1].some((label) => rows.every((_, row) => labels[row] === label))) {
    throw new StepwrightError("invalid-option", "a calibration needs right and wrong examples", {
      remedy: "take more questions, or harder or easier ones",
    });
  }
}

function chance(score: number): number {
  return 1 / (1 + Math.exp(-score));
}

/** The gradient of the loss and its ridge; the bias is not pulled: it holds how many are right at all. */
function pulled(sums: Float64Array, solution: Float64Array, pulls: Float64Array): Float64Array {
  for (let index = 0; index < pulls.length; index++) sums[index]! += pulls[index]! * solution[index]!;
  return sums;
}

function norm(values: Float64Array): number {
  return Math.sqrt(dot(values, values));
}
