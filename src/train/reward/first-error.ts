/** Finding where an answer first goes wrong, by the first score below a threshold (ProcessBench, arXiv 2412.06559). */

/** One answer's steps, all with a label. */
export interface CheckedAnswer {
  readonly scores: readonly number[];
  readonly labels: readonly number[];
}

export interface FirstErrorFigures {
  /** A score below it claims an error. */
  readonly threshold: number;
  /** Share of the answers with a wrong step whose first wrong step is the first claimed. */
  readonly onWrong: number;
  /** Share of the answers without a wrong step for which none is claimed. */
  readonly onRight: number;
  /** Their harmonic mean. */
  readonly f1: number;
}

/** A step is wrong when its label is below one half. Null without both kinds of answer. */
export function firstErrorFigures(
  answers: readonly CheckedAnswer[],
  threshold: number,
): FirstErrorFigures | null {
  const found = { wrong: 0, wrongFound: 0, right: 0, rightFound: 0 };
  for (const { scores, labels } of answers) {
    const first = labels.findIndex((label) => label < 0.5);
    const claimed = scores.findIndex((score) => score < threshold);
    if (first < 0) {
      found.right++;
      if (claimed < 0) found.rightFound++;
    } else {
      found.wrong++;
      if (claimed === first) found.wrongFound++;
    }
  }
  if (found.wrong === 0 || found.right === 0) return null;
  const [onWrong, onRight] = [found.wrongFound / found.wrong, found.rightFound / found.right];
  const f1 = onWrong + onRight === 0 ? 0 : (2 * onWrong * onRight) / (onWrong + onRight);
  return { threshold, onWrong, onRight, f1 };
}

/** Thresholds that are tried. */
const tries = 64;

/** The threshold of the greatest F1 on these answers, which must not be those that it is then tested on. */
export function bestFirstErrorThreshold(answers: readonly CheckedAnswer[]): number | null {
  const scores = answers.flatMap((answer) => answer.scores).sort((one, other) => one - other);
  let best: FirstErrorFigures | null = null;
  for (let index = 0; index < tries; index++) {
    const threshold = scores[Math.floor((index / tries) * scores.length)]!;
    const figures = firstErrorFigures(answers, threshold);
    if (figures !== null && (best === null || figures.f1 > best.f1)) best = figures;
  }
  return best?.threshold ?? null;
}
