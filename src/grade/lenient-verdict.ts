/** The verdict by the Qwen2.5-Math rules, with which the published accuracies were made. */
import { chosenLetter } from "./choice.js";
import { extractAnswer } from "./extract.js";
import { lenientlyEqual } from "./lenient-equal.js";
import { normaliseAnswer } from "./normalise.js";
import { normaliseReference } from "./reference.js";
import { isChoiceTask, isLetter, isLetters, keepsUnits } from "./rules.js";

export interface Pair {
  /** A whole answer text. */
  readonly prediction: string;
  /** As the data set has it. */
  readonly reference: string;
  /** A data set's name, such as gsm8k; some have rules of their own. */
  readonly task?: string | undefined;
}

export interface LenientVerdict {
  readonly correct: boolean;
  /** The string that was compared with the reference. */
  readonly extracted: string;
}

export function lenientVerdict({ prediction, reference, task }: Pair): LenientVerdict {
  const expected = normaliseReference(task, reference);
  const extracted = fitToChoices(answerOf(prediction, task), prediction, expected);
  return { correct: lenientlyEqual(extracted, expected), extracted };
}

/** The answer in a text, normalised. */
export function answerOf(prediction: string, task: string | undefined): string {
  if (isChoiceTask(task)) return chosenLetter(prediction);
  return normaliseAnswer(extractAnswer(prediction), { keepUnits: keepsUnits(task) });
}

/** A reference of letters is a choice whatever the task: then only letters count. */
function fitToChoices(answer: string, prediction: string, expected: string): string {
  if (isLetter(expected)) return isLetter(answer) ? answer : chosenLetter(prediction);
  if (isLetters(expected) && !isLetters(answer)) return answer.replace(/[^A-E]/g, "");
  return answer;
}
