import { randomUUID } from "node:crypto";
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { lacks, textOf } from "./fields.js";
import { runPython } from "./sandbox/python-sandbox.js";
import { defineTask } from "./task.js";

/** What an answer is tested with; it travels as the question's reference. */
const referenceSchema = z.object({ prompt: z.string(), test: z.string(), entry: z.string() });

type Reference = z.output<typeof referenceSchema>;

export default defineTask({
  name: "human-eval",
  essence: "Python functions from their docstrings, tested by running them in a sandbox",
  source: { repository: "openai/openai_humaneval", file: "openai_humaneval/test-00000-of-00001.parquet" },
  licence: "MIT",
  size: 164,
  grading: "code",
  readQuestion(row) {
    const prompt = textOf(row, "prompt");
    const [test, entry] = [textOf(row, "test"), textOf(row, "entry_point")];
    const problem = lacks(prompt, test && entry);
    if (problem !== undefined) return problem;
    return {
      id: textOf(row, "task_id") || entry,
      question: `Complete this Python function. Answer with the whole function in one \`\`\`python block.\n\n\`\`\`python\n${prompt}\n\`\`\``,
      reference: JSON.stringify({ prompt, test, entry } satisfies Reference),
    };
  },
  async gradeAnswer({ prediction, reference }) {
    const checked = referenceOf(reference);
    const code = codeOf(prediction, checked.entry);
    // Printed last: a program that ends itself early has not passed.
    const passed = randomUUID();
    const { output } = await runPython(programOf(code, checked, passed));
    const correct = output.trimEnd().endsWith(passed);
    return { correct, strict: correct, extracted: code };
  },
});

/** The last block that defines the function, else the last block, else the whole text. */
export function codeOf(text: string, entry: string): string {
  // A block that was cut off has no end.
  const blocks = text
    .split("```")
    .flatMap((block, index) => (index % 2 === 1 ? [block.replace(/^[\w+-]*[ \t]*\r?\n/, "")] : []));
  const whole = blocks.findLast((block) => defines(block, entry)) ?? blocks.at(-1) ?? text;
  return whole.trimEnd();
}

/** A function without its head goes on where the prompt ends; imports of the prompt hold in either case. */
export function programOf(code: string, { prompt, test, entry }: Reference, passed: string): string {
  const head = defines(code, entry) ? prompt.slice(0, Math.max(0, prompt.indexOf(`def ${entry}`))) : prompt;
  return `${head}\n${code}\n\n${test}\n\ncheck(${entry})\nprint("\\n${passed}")\n`;
}

function defines(code: string, entry: string): boolean {
  return code.split("\n").some((line) => line.startsWith(`def ${entry}(`));
}

function referenceOf(text: string): Reference {
  try {
    return referenceSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StepwrightError("task-invalid", "the reference holds no test of human-eval", {
      subject: "human-eval",
      remedy: "its questions have prompt, test and entry_point",
      cause,
    });
  }
}
