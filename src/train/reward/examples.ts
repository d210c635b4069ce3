/** From answers with readings and labels to the rows that a head learns from. */
import { StepwrightError } from "../../core/errors.js";
import { type FeatureName, featuresOf } from "../../rewards/readings/features.js";
import type { StepReadings } from "../../rewards/readings/readings.js";
import type { AnswerRecord } from "./answers.js";

/** An answer of the draft with what was read of its steps and what is known of them: one reading and label per step. */
export interface LabelledAnswer extends Pick<AnswerRecord, "question" | "sample" | "right"> {
  readonly readings: readonly StepReadings[];
  /** How likely each step is right, in [0, 1]; null where nobody knows. */
  readonly labels: readonly (number | null)[];
}

export interface Examples {
  readonly rows: readonly Float32Array[];
  readonly labels: Float64Array;
  /** Right and wrong weigh the same together; the mean is 1. */
  readonly weights: Float64Array;
  /** Question of each row: rows of one question never stand on both sides of a split. */
  readonly groups: readonly string[];
}

/**
 * One row for each labelled step, in the answers' order; steps without a label are left out. Throws `invalid-option` where
 * all labels are of one kind.
 */
export function examplesOf(answers: readonly LabelledAnswer[], features: readonly FeatureName[]): Examples {
  const known = answers.flatMap(({ question, readings, labels }) =>
    labels.flatMap((label, step) =>
      label === null ? [] : [{ question, label, row: featuresOf(features, readings[step]!) }],
    ),
  );
  const labels = Float64Array.from(known, ({ label }) => label);
  return {
    rows: known.map(({ row }) => row),
    labels,
    weights: balanced(labels),
    groups: known.map(({ question }) => question),
  };
}

/** The rows at these places. */
export function selected({ rows, labels, weights, groups }: Examples, places: readonly number[]): Examples {
  return {
    rows: places.map((place) => rows[place]!),
    labels: Float64Array.from(places, (place) => labels[place]!),
    weights: Float64Array.from(places, (place) => weights[place]!),
    groups: places.map((place) => groups[place]!),
  };
}

function balanced(labels: Float64Array): Float64Array {
  const right = labels.reduce((sum, label) => sum + label, 0);
  const wrong = labels.length - right;
  if (right <= 0 || wrong <= 0) {
    const missing = right <= 0 ? "right" : "wrong";
    throw new StepwrightError("invalid-option", `none of the ${labels.length} labelled steps is ${missing}`, {
      remedy: `a head learns from both kinds: take more questions, or ${missing === "right" ? "easier" : "harder"} ones`,
    });
  }
  const half = labels.length / 2;
  return labels.map((label) => label * (half / right) + (1 - label) * (half / wrong));
}
