/** A data set's reference answer in the notation in which answers are compared. */
import { normaliseAnswer } from "./normalise.js";
import { keepsUnits } from "./rules.js";

/** Normalised twice, as the published accuracies are: unit words that shared a blank go in the second round. */
export function normaliseReference(task: string | undefined, raw: string): string {
  if (keepsUnits(task)) return normaliseAnswer(raw, { keepUnits: true });
  return normaliseAnswer(normaliseAnswer(raw));
}
