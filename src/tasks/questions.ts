/** The questions of a data file, in the file's order, and what could not be used, by line. */
import { StepwrightError } from "../core/errors.js";
import { type NumberedRow, type RowProblem, readJsonLines } from "./rows.js";
import type { Row, TaskQuestion } from "./task.js";
import { readCommaSeparated, readJsonArray, readParquet } from "./whole-file.js";

export interface QuestionFile {
  readonly questions: readonly TaskQuestion[];
  readonly problems: readonly RowProblem[];
}

export interface ReadOptions {
  /** `line` is counted from 1. */
  readonly readQuestion: (row: Row, line: number) => TaskQuestion | string;
}

/** Throws `task-not-found` for a file that is not there, `task-invalid` for one with no usable question. */
export async function readQuestions(path: string, { readQuestion }: ReadOptions): Promise<QuestionFile> {
  const questions: TaskQuestion[] = [];
  const problems: RowProblem[] = [];
  const lines = new Map<string, number>();
  for await (const found of rowsOf(path)) {
    if ("problem" in found) {
      problems.push(found);
      continue;
    }
    const { line, row } = found;
    const question = readQuestion(row, line);
    if (typeof question === "string") problems.push({ line, problem: question });
    else if (lines.has(question.id)) {
      problems.push({ line, problem: `has the id "${question.id}" of line ${lines.get(question.id)}` });
    } else {
      lines.set(question.id, line);
      questions.push(question);
    }
  }
  if (questions.length === 0) throw noQuestions(path, problems);
  return { questions, problems };
}

function rowsOf(path: string): AsyncIterable<NumberedRow | RowProblem> | Iterable<NumberedRow | RowProblem> {
  if (/\.json$/i.test(path)) return whole(readJsonArray(path));
  if (/\.csv$/i.test(path)) return whole(readCommaSeparated(path));
  if (/\.parquet$/i.test(path)) return whole(readParquet(path));
  return readJsonLines(path);
}

async function* whole(rows: Promise<(NumberedRow | RowProblem)[]>): AsyncGenerator<NumberedRow | RowProblem> {
  yield* await rows;
}

function noQuestions(path: string, [first]: readonly RowProblem[]): StepwrightError {
  const detail = first ? `: line ${first.line} ${first.problem}` : ", it is empty";
  return new StepwrightError("task-invalid", `${path} holds no question that can be used${detail}`, {
    subject: path,
    remedy: 'give JSON Lines such as {"id": "1", "question": "What is 2 + 2?", "answer": "4"}',
  });
}
