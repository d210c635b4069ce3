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
  /** A worked solution, one text per step without delimiters, where the task has one. */
  readonly steps?: readonly string[];
}

export interface TaskSource {
  /** `owner/name` of the data set on the Hugging Face hub. */
  readonly repository: string;
  /** The test split's file, by path inside the repository. */
  readonly file: string;
}

export interface AnswerPair {
  readonly prediction: string;
  readonly reference: string;
}

export interface AnswerVerdict {
  readonly correct: boolean;
  readonly strict: boolean;
  readonly extracted: string;
}

interface TaskFacts {
  readonly name: string;
  /** One line: what is asked. */
  readonly essence: string;
  readonly licence: string;
  /** Number of questions. */
  readonly size: number;
  /** The name of the grading rules, as `grade` takes it. */
  readonly grading: string;
  /**
   * Whether a step is right after the steps before it, as far as the question and these go: a right step after a
   * wrong one is right. Texts as written; white space at their ends does not count.
   */
  checkStep?(question: TaskQuestion, stepsBefore: readonly string[], step: string): boolean;
  /** In place of the grading rules, where an answer must be run to be judged. May throw `sandbox-unavailable`. */
  gradeAnswer?(pair: AnswerPair): Promise<AnswerVerdict>;
}

/** A task whose questions are the rows of a published data set. */
export interface DatasetTask extends TaskFacts {
  readonly source: TaskSource;
  /** `number` counts the rows from 0. A row that cannot be used gives the reason in words. */
  readQuestion(row: Row, number: number): TaskQuestion | string;
}

/** A task whose questions are made from their index: the same index gives the same question everywhere. */
export interface GeneratedTask extends TaskFacts {
  /** Models of the lab are trained on indices below this one. */
  readonly trainingSize: number;
  /** `index` from 0 to below `size`. */
  generate(index: number): TaskQuestion;
  /** The same task at one level of difficulty, from 1; absent where it has no levels. */
  readonly levels?: readonly GeneratedTask[];
}

export type Task = DatasetTask | GeneratedTask;

/** True for a task that needs no file. */
export function isGenerated(task: Task): task is GeneratedTask {
  return "generate" in task;
}

/** Types a data set's task; kept as a function so that a task's file reads as one value. */
export function defineTask(task: DatasetTask): DatasetTask {
  return task;
}
