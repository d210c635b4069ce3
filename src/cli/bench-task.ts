/** The questions that a bench asks: of a task whose file is in the cache, or of a local file. */
import { resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { findDataset } from "../models/hub-dataset.js";
import type { HubSettings } from "../models/hub-settings.js";
import { findTask, tasks } from "../tasks/index.js";
import { isTaskFile, localGrading, readLocalQuestion } from "../tasks/local-task.js";
import { type QuestionFile, readQuestions } from "../tasks/questions.js";
import {
  type DatasetTask,
  type GeneratedTask,
  isGenerated,
  type Row,
  type Task,
  type TaskQuestion,
} from "../tasks/task.js";
import type { BenchSettings } from "./bench-settings.js";
import type { CommandContext } from "./command.js";
import { count } from "./numbers.js";
import { harmless } from "./terminal-text.js";

export interface BenchTask {
  readonly name: string;
  readonly grading: string;
  readonly questions: readonly TaskQuestion[];
  /** Judges single steps, where the task can. */
  readonly checkStep?: Task["checkStep"];
  /** In place of the grading rules, where the task has its own way. */
  readonly gradeAnswer?: Task["gradeAnswer"];
}

/** Problems beyond so many are counted, not listed. */
const mostProblems = 20;

/** Says what could not be used. Throws `unknown-name`, `task-not-found`, `task-invalid` or `invalid-option`. */
export async function benchTask(
  settings: Pick<BenchSettings, "task" | "limit" | "offset" | "as">,
  context: CommandContext,
  hub: HubSettings,
): Promise<BenchTask> {
  const name = settings.task;
  if (name === undefined) {
    throw new StepwrightError("invalid-option", "no --task is given", {
      subject: "--task",
      remedy: `name one of ${tasks.names.join(", ")}, or a file of JSON Lines`,
    });
  }
  const task = isTaskFile(name) ? undefined : await findTask(name);
  if (task === undefined) return localTask(name, settings, context);
  if (settings.as !== undefined) {
    throw new StepwrightError("invalid-option", "--as is for files: a task is read and graded as itself", {
      subject: "--as",
      remedy: "leave it out",
    });
  }
  const { grading, checkStep, gradeAnswer } = task;
  const questions = isGenerated(task)
    ? generatedQuestions(task, settings, context)
    : chosen(await pulledQuestions(task, hub), settings, context);
  return { name, grading, questions, checkStep, gradeAnswer };
}

type Choice = Pick<BenchSettings, "limit" | "offset" | "as">;

/** A file that is said to be a task's may have that task's fields, or the plain ones. */
async function localTask(name: string, settings: Choice, context: CommandContext): Promise<BenchTask> {
  const path = resolve(context.host.workingFolder, name);
  const task = settings.as === undefined ? undefined : await tasks.get(settings.as);
  const readQuestion = (row: Row, line: number) => {
    const question = task && !isGenerated(task) && task.readQuestion(row, line - 1);
    return typeof question === "object" ? question : readLocalQuestion(row, line);
  };
  const questions = chosen(await readQuestions(path, { readQuestion }), settings, context);
  return { name, grading: task?.grading ?? localGrading, questions, gradeAnswer: task?.gradeAnswer };
}

/** Those whose indices are asked for. */
function generatedQuestions(task: GeneratedTask, { offset, limit }: Choice, { say }: CommandContext) {
  if (limit === undefined || offset + limit > task.size) {
    throw new StepwrightError("invalid-option", `${task.name} has ${count(task.size)} questions`, {
      subject: "--limit",
      remedy: "say which by --offset and --limit, such as --offset 700000 --limit 300",
    });
  }
  if (offset < task.trainingSize) {
    say(`The lab's models were trained on indices below ${count(task.trainingSize)}: begin figures above.`);
  }
  return Array.from({ length: limit }, (_, index) => task.generate(offset + index));
}

async function pulledQuestions(task: DatasetTask, hub: HubSettings): Promise<QuestionFile> {
  const path = await findDataset(task.source, hub);
  if (path !== undefined) return taskReader(task, path);
  throw new StepwrightError("task-not-found", `the questions of ${task.name} are not downloaded yet`, {
    subject: task.name,
    remedy: `stepwright tasks pull ${task.name}`,
  });
}

function chosen(
  file: QuestionFile,
  { offset, limit = file.questions.length }: Choice,
  context: CommandContext,
) {
  sayProblems(file, context);
  const questions = file.questions.slice(offset, offset + limit);
  if (questions.length > 0) return questions;
  throw new StepwrightError("invalid-option", `--offset ${offset} passes over all questions`, {
    subject: "--offset",
    remedy: `the task has ${file.questions.length}`,
  });
}

/** Reads a task's file. */
export function taskReader(task: DatasetTask, path: string): Promise<QuestionFile> {
  return readQuestions(path, { readQuestion: (row, line) => task.readQuestion(row, line - 1) });
}

function sayProblems({ problems, questions }: QuestionFile, { say }: CommandContext): void {
  if (problems.length === 0) return;
  for (const { line, problem } of problems.slice(0, mostProblems)) say(harmless(`line ${line} ${problem}`));
  const rest = problems.length - mostProblems;
  if (rest > 0) say(`and ${count(rest)} lines more`);
  say(`${count(problems.length)} lines cannot be used; ${count(questions.length)} questions can.`);
}
