/** Tasks whose rows hold a question and a free answer in fields of these names. */
import { idOf, lacks, textOf } from "./fields.js";
import { solutionSteps } from "./solution.js";
import type { Row, TaskQuestion } from "./task.js";

export interface FreeAnswerFields {
  readonly task: string;
  readonly question: readonly string[];
  readonly id?: readonly string[];
  /** The reference, from the row; "" where it has none. */
  readonly reference: (row: Row) => string;
  /** A worked solution, "" where there is none. */
  readonly solution?: (row: Row) => string;
}

export function freeAnswer(fields: FreeAnswerFields) {
  return (row: Row, number: number): TaskQuestion | string => {
    const question = textOf(row, ...fields.question);
    const reference = fields.reference(row);
    const id = idOf(fields.task, row, number, ...(fields.id ?? ["id"]));
    const steps = solutionSteps(fields.solution?.(row) ?? "");
    return lacks(question, reference) ?? { id, question, reference, ...(steps && { steps }) };
  };
}
