/** Grading: is the answer in this text the reference's? */

import { Grader } from "./grader.js";
import type { Grade } from "./grading.js";
import type { Pair } from "./lenient-verdict.js";

export { extractAnswer } from "./extract.js";
export { Grader, type GraderOptions } from "./grader.js";
export type { Grade } from "./grading.js";
export type { Pair } from "./lenient-verdict.js";
export { normaliseReference } from "./reference.js";

let shared: Grader | undefined;

/** Both verdicts on one pair, by a grader that all callers share; it keeps no program alive. */
export function grade(pair: Pair): Promise<Grade> {
  shared ??= new Grader();
  return shared.grade(pair);
}

/** Whether two answers mean the same, for majority votes. */
export function sameAnswer(a: string, b: string): Promise<boolean> {
  shared ??= new Grader();
  return shared.sameAnswer(a, b);
}

/** Ends the shared grader's process; the next call starts another. */
export function closeGrader(): void {
  shared?.close();
  shared = undefined;
}
