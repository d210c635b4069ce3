/** A task: where its questions come from, how one row becomes a question, and by which rules answers are graded. */

/** One row of a data set as it stands in its file. */
export type Row = Readonly<Record<string, unknown>>;

export interface TaskQuestion {
  /** Unique within the task. */
  readonly id: string;
  /** As the model is asked: answer choices included. */
  readonly question: string;
  /** As in the data set, for the grader to normalise. */
  readonly reference: string;
}

export interface TaskSource {
  /** `owner/name` of the data set on the Hugging Face hub. */
  readonly repository: string;
  /** The test split's file, by path inside the repository. */
  readonly file: string;
}

export interface Task {
  readonly name: string;
  /** One line: what is asked. */
  readonly essence: string;
  readonly source: TaskSource;
  readonly licence: string;
  /** Number of questions. */
  readonly size: number;
  /** The name of the grading rules, as `grade` takes it. */
  readonly grading: string;
  /** `number` counts the rows from 0. A row that cannot be used gives the reason in words. */
  readQuestion(row: Row, number: number): TaskQuestion | string;
}

/** Types a task; kept as a function so that a task's file reads as one value. */
export function defineTask(task: Task): Task {
  return task;
}
