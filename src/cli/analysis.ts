/** What the `analyze` commands share: the folder they read, the rows they can use, and how they show a table. */
import { resolve } from "node:path";
import { type BenchFolder, readBenchFolder } from "../bench/bench-folder.js";
import type { BenchResult } from "../bench/result.js";
import { StepwrightError } from "../core/errors.js";
import type { CommandContext } from "./command.js";
import { requiredOperand } from "./operands.js";
import { tableLines } from "./table.js";
import { harmless } from "./terminal-text.js";

export function benchOperand({ host }: CommandContext, operands: readonly string[]): Promise<BenchFolder> {
  return readBenchFolder(
    resolve(host.workingFolder, requiredOperand(operands, "DIR", "a folder of a bench")),
  );
}

export interface Labelled {
  readonly label: string;
  /** The samples of each question. */
  readonly questions: readonly (readonly BenchResult[])[];
}

/** Labels whose questions were all answered at least `samples` times. Throws `invalid-option` where there is none. */
export function repeatedLabels({ path, byLabel }: BenchFolder, samples: number): Labelled[] {
  const found = [...byLabel]
    .filter(([, questions]) => questions.every((own) => own.length >= samples))
    .map(([label, questions]) => ({ label, questions }));
  if (found.length > 0) return found;
  throw new StepwrightError(
    "invalid-option",
    `${path} holds no method with ${samples} samples per question`,
    {
      subject: path,
      remedy: "run stepwright bench with --equal-compute 8, or with --seeds 8 above temperature 0",
    },
  );
}

/** The first column to the left, figures to the right. */
export function printTable(
  { print, style }: CommandContext,
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const columns = titles.map((title, index) => ({ title, align: index === 0 ? "left" : "right" }) as const);
  const [title, ...lines] = tableLines(
    columns,
    rows.map((row) => row.map(harmless)),
  );
  print(style.dim(title!));
  for (const line of lines) print(line);
}
