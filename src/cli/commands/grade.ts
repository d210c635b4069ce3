import { z } from "zod";
import { StepwrightError, throwIfAborted } from "../../core/errors.js";
import { Grader, type Pair } from "../../grade/index.js";
import { tasks } from "../../tasks/index.js";
import { type CommandContext, defineCommand } from "../command.js";

const pairSchema = z.object({
  prediction: z.string(),
  reference: z.union([z.string(), z.number().transform(String)]),
  task: z.string().optional(),
});

/** Pairs read ahead of the slowest, so that input of any length needs little memory. */
const ahead = 64;

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    'Reads JSON Lines {"prediction", "reference", "task"?} from standard input and prints {"correct", "strict", "extracted"} for each, in the same order. `correct` follows the Qwen2.5-Math rules, as published accuracies do; `strict` is what a careful mathematician would say; `extracted` is the answer found in the prediction. A line that cannot be read gives {"error"} in its place; the rest goes on, and the exit code is 1. See docs/grading.md.',
  examples: ["stepwright grade < pairs.jsonl > grades.jsonl"],
  schema: z.object({
    processes: z.number().int().min(1).max(64).default(1).describe("processes that grade at the same time"),
    deadline: z
      .number()
      .positive()
      .max(3600)
      .default(3)
      .describe("seconds for one pair; what takes longer counts as wrong"),
  }),
  async run(context, { processes, deadline }) {
    const { host, signal, say } = context;
    if (host.inputIsTerminal) say("Reading pairs from standard input; end with Ctrl-D.");
    await using grader = new Grader({ processes, deadline: deadline * 1000 });
    signal.addEventListener("abort", () => grader.close(), { once: true });
    const failed = await gradeLines(context, grader);
    throwIfAborted(signal);
    if (failed > 0) say(`${failed} ${failed === 1 ? "line" : "lines"} could not be read.`);
    return failed > 0 ? 1 : 0;
  },
});

/** Prints one line for each that has text, as soon as it and those before it are known; counts the unreadable. */
async function gradeLines({ host, signal, print }: CommandContext, grader: Grader): Promise<number> {
  const waiting: Promise<void>[] = [];
  let printed: Promise<void> = Promise.resolve();
  let failed = 0;
  let number = 0;
  for await (const line of host.inputLines(signal)) {
    number++;
    if (line.trim() === "") continue;
    const place = number;
    const graded = gradeLine(line, place, grader).catch((error: unknown) => {
      // What is wrong with a line concerns no other; a grader that cannot work concerns all.
      if (!StepwrightError.is(error, "invalid-option") && !StepwrightError.is(error, "task-invalid"))
        throw error;
      failed++;
      return { error: { line: place, ...error.toJSON() } };
    });
    // Seen when its turn comes; until then a failure must not end the program.
    graded.catch(() => undefined);
    printed = printed.then(async () => print(JSON.stringify(await graded)));
    printed.catch(() => undefined);
    waiting.push(printed);
    if (waiting.length >= ahead) await waiting.shift();
  }
  await printed;
  return failed;
}

/** By the task's own way where it has one. Throws `invalid-option` or `task-invalid` for a line that is no pair. */
async function gradeLine(line: string, number: number, grader: Grader): Promise<unknown> {
  const pair = readPair(line, number);
  const task = pair.task !== undefined && tasks.has(pair.task) ? await tasks.get(pair.task) : undefined;
  return task?.gradeAnswer ? task.gradeAnswer(pair) : grader.grade(pair);
}

function readPair(line: string, number: number): Pair {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new StepwrightError("invalid-option", `line ${number} is no JSON`, {
      remedy: 'write one {"prediction", "reference"} a line',
      cause,
    });
  }
  const read = pairSchema.safeParse(value);
  if (read.success) return read.data;
  throw new StepwrightError("invalid-option", `line ${number} is no pair: ${z.prettifyError(read.error)}`, {
    remedy: 'write "prediction" and "reference" as texts, and "task" as a text or not at all',
  });
}
