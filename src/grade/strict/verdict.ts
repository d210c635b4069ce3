/** What a careful mathematician says of a pair: does the text give the answer that the reference gives? */
import type { Pair } from "../lenient-verdict.js";
import { isChoiceTask } from "../rules.js";
import { readingOf } from "./answer.js";
import { chosenOption } from "./choice.js";
import { strictlyEqual } from "./equal.js";
import { finalAnswer } from "./final-answer.js";

export function strictVerdict({ prediction, reference, task }: Pair): boolean {
  const letter = /^\(?([A-J])\)?$/.exec(reference.trim().replaceAll("$", ""))?.[1];
  if (letter !== undefined && chosenOption(prediction) === letter) return true;
  if (letter !== undefined && isChoiceTask(task)) return false;
  const answer = finalAnswer(prediction);
  return answer !== "" && sameStrictly(answer, reference);
}

/** Whether two answers, as they were written, mean the same. */
export function sameStrictly(prediction: string, reference: string): boolean {
  if (prediction.trim() === reference.trim()) return true;
  // "12\pi \approx 37.7" gives the value twice.
  const forms = prediction.split(/\\approx(?![a-zA-Z])|≈/).filter((form) => form.trim() !== "");
  return forms.slice(0, 3).some((form) => {
    const read = readingOf(form, reference);
    return strictlyEqual(read(form), read(reference));
  });
}
