/** How well labels agree with labels that are taken for the truth: for steps, and for the first wrong step of an answer. */
import { answerKey } from "../answers.js";
import type { LabelRecord } from "./label-file.js";

export interface Agreement {
  /** Steps that have both labels. */
  readonly steps: number;
  /** Share of these with the same label. */
  readonly accuracy: number;
  /** Of the steps labelled wrong, the share that is; null where none is labelled wrong. */
  readonly precision: number | null;
  /** Of the wrong steps, the share that is labelled wrong; null where none is wrong. */
  readonly recall: number | null;
  /**
   * Harmonic mean of two shares: answers with a wrong step whose first one is found, and answers without for which none
   * is claimed (ProcessBench, arXiv 2412.06559). Null where either kind is missing.
   */
  readonly firstErrorF1: number | null;
}

/**
 * A label below `wrongBelow` says that the step is wrong; the truth's border is one half. Over the answers that both have,
 * and their steps with both labels.
 */
export function agreement(
  truth: readonly LabelRecord[],
  labels: readonly LabelRecord[],
  wrongBelow = 0.5,
): Agreement {
  const known = new Map(truth.map((record) => [answerKey(record), record]));
  const counts = { bothWrong: 0, claimed: 0, wrong: 0, same: 0, steps: 0 };
  const found = { erring: 0, erringRight: 0, clean: 0, cleanRight: 0 };
  for (const record of labels) {
    const reference = known.get(answerKey(record));
    if (reference === undefined) continue;
    const pairs = record.values.flatMap((value, place) => {
      const right = reference.values[place];
      return value === null || right === null || right === undefined
        ? []
        : [{ claimed: value < wrongBelow, wrong: right < 0.5 }];
    });
    if (pairs.length === 0) continue;
    for (const { claimed, wrong } of pairs) {
      counts.steps++;
      if (claimed) counts.claimed++;
      if (wrong) counts.wrong++;
      if (claimed && wrong) counts.bothWrong++;
      if (claimed === wrong) counts.same++;
    }
    const first = pairs.findIndex(({ wrong }) => wrong);
    const isFound = pairs.findIndex(({ claimed }) => claimed) === first;
    if (first < 0) {
      found.clean++;
      if (isFound) found.cleanRight++;
    } else {
      found.erring++;
      if (isFound) found.erringRight++;
    }
  }
  return {
    steps: counts.steps,
    accuracy: counts.same / counts.steps,
    precision: share(counts.bothWrong, counts.claimed),
    recall: share(counts.bothWrong, counts.wrong),
    firstErrorF1: harmonicMean(share(found.erringRight, found.erring), share(found.cleanRight, found.clean)),
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function harmonicMean(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return null;
  return a + b === 0 ? 0 : (2 * a * b) / (a + b);
}
