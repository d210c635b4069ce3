/** Runs what is missing of a bench: every method answers a question before the next question begins. */
import { StepwrightError } from "../core/errors.js";
import { checkRequest } from "../core/run-request.js";
import type { TaskQuestion } from "../tasks/task.js";
import type { Baseline } from "./baselines.js";
import { type Cell, type CellSettings, rolesFor, runCell } from "./cell.js";
import type { BenchEntry } from "./method-list.js";
import { type BenchResult, resultKey } from "./result.js";
import type { ResultFile } from "./result-file.js";

export interface BenchPlan {
  readonly questions: readonly TaskQuestion[];
  readonly entries: readonly BenchEntry[];
  readonly seeds: readonly number[];
  /** Runs beside the rows, to compare them with. */
  readonly baselines: readonly Baseline[];
  /** Questions at work at the same time; above 1, seconds are no longer those of a run alone. */
  readonly concurrency: number;
}

/**
 * All cells, question by question. The methods' order turns with the question, so that none always finds the
 * caches that another has warmed.
 */
export function cellsOf({ questions, entries, seeds, baselines }: Omit<BenchPlan, "concurrency">): Cell[][] {
  return questions.map((question, number) => [
    ...seeds.flatMap((seed) =>
      entries.map((_, index) => ({ question, entry: entries[(index + number) % entries.length]!, seed })),
    ),
    ...baselines.flatMap(({ entry, temperature, samples, isRow }) =>
      Array.from({ length: isRow ? 0 : samples }, (_, seed) => ({ question, entry, temperature, seed })),
    ),
  ]);
}

/** Cells that the file does not hold yet. */
export function missingCells(plan: Omit<BenchPlan, "concurrency">, file: ResultFile): Cell[][] {
  return cellsOf(plan)
    .map((cells) =>
      cells.filter(
        ({ question, entry, seed }) =>
          !file.has(resultKey({ question: question.id, method: entry.label, seed })),
      ),
    )
    .filter((cells) => cells.length > 0);
}

/**
 * Resolves with true when nothing is missing any more, with false when the signal has stopped it. Throws what
 * concerns all questions: a method and models that do not fit, or results that cannot be kept.
 */
export async function runBench(
  plan: BenchPlan,
  settings: CellSettings,
  file: ResultFile,
  onResult: (result: BenchResult) => void = () => {},
): Promise<boolean> {
  const { request, checkStep, signal } = settings;
  for (const entry of plan.entries) {
    checkRequest({
      ...request,
      method: entry.method,
      options: entry.options,
      roles: rolesFor(entry, settings),
      question: "any",
      checkStep: checkStep && (() => true),
    });
  }
  const waiting = missingCells(plan, file);
  let failure: unknown;
  const work = async () => {
    for (let cells = waiting.shift(); cells; cells = waiting.shift()) {
      for (const cell of cells) {
        if (signal?.aborted || failure !== undefined) return;
        const result = await runCell(cell, settings);
        await file.append(result);
        onResult(result);
      }
    }
  };
  const workers = Array.from({ length: plan.concurrency }, () =>
    work().catch((error) => {
      if (!(signal?.aborted && StepwrightError.is(error, "aborted"))) failure ??= error;
    }),
  );
  await Promise.all(workers);
  if (failure !== undefined) throw failure;
  return missingCells(plan, file).length === 0;
}
