/** The questions that a bench asks: of a task whose file is in the cache, or of a local file. */
import { resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { findDataset } from "../models/hub-dataset.js";
import type { HubSettings } from "../models/hub-settings.js";
import { tasks } from "../tasks/index.js";
import { isTaskFile, localGrading, readLocalQuestion } from "../tasks/local-task.js";
import { type QuestionFile, readQuestions } from "../tasks/questions.js";
import type { Row, Task } from "../tasks/task.js";
import type { BenchSettings } from "./bench-settings.js";
import type { CommandContext } from "./command.js";
import { count } from "./numbers.js";
import { harmless } from "./terminal-text.js";

export interface BenchTask {
  readonly name: string;
  readonly grading: string;
  readonly questions: QuestionFile["questions"];
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
  const { grading, file } = isTaskFile(name)
    ? await localTask(name, settings.as, context)
    : await pulledTask(name, settings.as, hub);
  sayProblems(file, context);
  const { offset, limit = file.questions.length } = settings;
  const questions = file.questions.slice(offset, offset + limit);
  if (questions.length === 0) {
    throw new StepwrightError("invalid-option", `--offset ${offset} passes over all questions`, {
      subject: "--offset",
      remedy: `the task has ${file.questions.length}`,
    });
  }
  return { name, grading, questions };
}

/** A file that is said to be a task's may have that task's fields, or the plain ones. */
async function localTask(name: string, as: string | undefined, { host }: CommandContext) {
  const path = resolve(host.workingFolder, name);
  const task = as === undefined ? undefined : await tasks.get(as);
  const readQuestion = (row: Row, line: number) => {
    const question = task?.readQuestion(row, line - 1);
    return typeof question === "object" ? question : readLocalQuestion(row, line);
  };
  return { grading: task?.grading ?? localGrading, file: await readQuestions(path, { readQuestion }) };
}

async function pulledTask(name: string, as: string | undefined, hub: HubSettings) {
  if (as !== undefined) {
    throw new StepwrightError("invalid-option", "--as is for files: a task is read and graded as itself", {
      subject: "--as",
      remedy: "leave it out",
    });
  }
  const task = await tasks.get(name);
  const path = await findDataset(task.source, hub);
  if (path === undefined) {
    throw new StepwrightError("task-not-found", `the questions of ${name} are not downloaded yet`, {
      subject: name,
      remedy: `stepwright tasks pull ${name}`,
    });
  }
  return { grading: task.grading, file: await taskReader(task, path) };
}

/** Reads a task's file. */
export function taskReader(task: Task, path: string): Promise<QuestionFile> {
  return readQuestions(path, { readQuestion: (row, line) => task.readQuestion(row, line - 1) });
}

function sayProblems({ problems, questions }: QuestionFile, { say }: CommandContext): void {
  if (problems.length === 0) return;
  for (const { line, problem } of problems.slice(0, mostProblems)) say(harmless(`line ${line} ${problem}`));
  const rest = problems.length - mostProblems;
  if (rest > 0) say(`and ${count(rest)} lines more`);
  say(`${count(problems.length)} lines cannot be used; ${count(questions.length)} questions can.`);
}
