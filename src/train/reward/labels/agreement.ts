/** How well labels agree with labels that are taken for the truth: for steps, and for the first wrong step of an answer. */
import { answerKey } from "../answers.js";
import { type CheckedAnswer, firstErrorFigures } from "../first-error.js";
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
   * As `FirstErrorFigures.f1`, of the steps with both labels; null where answers of either kind are missing.
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
  const compared: CheckedAnswer[] = [];
  for (const record of labels) {
    const reference = known.get(answerKey(record));
    if (reference === undefined) continue;
    const pairs = record.values.flatMap((value, place) => {
      const right = reference.values[place];
      return value === null || right === null || right === undefined ? [] : [{ value, right }];
    });
    if (pairs.length === 0) continue;
    compared.push({ scores: pairs.map(({ value }) => value), labels: pairs.map(({ right }) => right) });
    for (const { value, right } of pairs) {
      const [claimed, wrong] = [value < wrongBelow, right < 0.5];
      counts.steps++;
      if (claimed) counts.claimed++;
      if (wrong) counts.wrong++;
      if (claimed && wrong) counts.bothWrong++;
      if (claimed === wrong) counts.same++;
    }
  }
  return {
    steps: counts.steps,
    accuracy: counts.same / counts.steps,
    precision: share(counts.bothWrong, counts.claimed),
    recall: share(counts.bothWrong, counts.wrong),
    firstErrorF1: firstErrorFigures(compared, wrongBelow)?.f1 ?? null,
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
