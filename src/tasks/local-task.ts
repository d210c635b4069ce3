/** Any JSON Lines file with questions and answers is a task. */
import { idOf, lacks, textOf } from "./fields.js";
import { solutionSteps } from "./solution.js";
import type { Row, TaskQuestion } from "./task.js";

/** True for what names a file and not a task of the registry. */
export function isTaskFile(name: string): boolean {
  return /[\\/]|\.(jsonl?|csv|parquet)$/i.test(name);
}

/** The rules for free answers. */
export const localGrading = "math";

/**
 * Fields `question` (or `problem`), `answer`, and `id` where there is one; else the line is the id. A worked `solution`
 * gives the steps.
 */
export function readLocalQuestion(row: Row, line: number): TaskQuestion | string {
  const question = textOf(row, "question", "problem");
  const reference = textOf(row, "answer");
  const steps = solutionSteps(textOf(row, "solution"));
  return (
    lacks(question, reference) ?? {
      id: idOf("line", row, line, "id"),
      ...{ question, reference },
      ...(steps && { steps }),
    }
  );
}
