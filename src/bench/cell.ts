/** One cell of the bench: one question, one method, one seed, run and graded. */
import { type ErrorData, StepwrightError, throwIfAborted } from "../core/errors.js";
import { ledgerOf } from "../core/ledger.js";
import { keyedBits } from "../core/random.js";
import { type RunRequest, type RunResult, type RunRoles, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import type { TaskQuestion } from "../tasks/task.js";
import type { BenchEntry } from "./method-list.js";
import type { BenchResult, BenchStep } from "./result.js";

export interface Verdict {
  readonly correct: boolean;
  readonly strict: boolean;
  readonly extracted: string;
}

export type Grade = (pair: {
  readonly prediction: string;
  readonly reference: string;
  readonly task: string;
}) => Promise<Verdict>;

export interface Cell {
  readonly question: TaskQuestion;
  readonly entry: BenchEntry;
  /** Of `--seeds`. */
  readonly seed: number;
  /** In place of the bench's own, for a baseline. */
  readonly temperature?: number;
}

/** The same for all cells. */
export interface CellSettings {
  readonly roles: RunRoles;
  readonly request: Omit<RunRequest, "method" | "options" | "question" | "roles" | "seed" | "signal">;
  /** The name of the grading rules. */
  readonly grading: string;
  readonly grade: Grade;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The seed of a run. Random numbers are keyed by seed and position, so one seed for all questions would draw alike
 * at every question; the methods of one question share it.
 */
export function runSeed(seed: number, question: string): number {
  return keyedBits(seed, question, 0, "bench question");
}

/** A run that fails is a result too. Throws `aborted` when it was cut: then there is no result. */
export async function runCell(cell: Cell, settings: CellSettings): Promise<BenchResult> {
  const { question, entry, seed } = cell;
  const identity = {
    question: question.id,
    method: entry.label,
    seed,
    runSeed: runSeed(seed, question.id),
  };
  const events: TraceEvent[] = [];
  const result = await answer(cell, identity.runSeed, settings, events).catch((thrown) => {
    throwIfAborted(settings.signal);
    return StepwrightError.from(thrown);
  });
  if (StepwrightError.is(result)) {
    return { ...identity, ...failed(result.toJSON()), ledger: ledgerOf(events) };
  }
  const texts = wholeAnswers(events, result.text);
  // A grader that cannot work is no fault of the answer: it ends the bench.
  const verdicts = await Promise.all(texts.map((text) => gradeText(text, question, settings)));
  const { correct, strict, extracted } = verdicts[0]!;
  return {
    ...identity,
    finish: result.finish,
    text: result.text,
    answer: extracted,
    correct,
    strict,
    steps: result.steps.map(benchStep),
    candidates: { seen: texts.length, right: verdicts.filter((verdict) => verdict.correct).length },
    ledger: result.ledger,
  };
}

async function answer(
  { question, entry, temperature }: Cell,
  seed: number,
  { roles, request, signal }: CellSettings,
  events: TraceEvent[],
): Promise<RunResult> {
  const { method, options } = entry;
  const sampling = temperature === undefined ? request.sampling : { ...request.sampling, temperature };
  const run = startRun({
    ...request,
    sampling,
    method,
    options,
    question: question.question,
    roles,
    seed,
    signal,
  });
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  const result = await run.result;
  throwIfAborted(signal);
  return result;
}

function gradeText(text: string, { reference }: TaskQuestion, { grade, grading }: CellSettings) {
  return grade({ prediction: text, reference, task: grading });
}

/** The answer, and every other whole answer that the method saw and did not choose. */
function wholeAnswers(events: readonly TraceEvent[], chosen: string): string[] {
  const texts = new Map<string, string>([["", ""]]);
  const whole = new Set([chosen]);
  for (const event of events) {
    if (event.type !== "step-written") continue;
    const text = (texts.get(event.parent) ?? "") + event.text;
    texts.set(event.node, text);
    if (event.finish === "stop") whole.add(text.trimEnd());
  }
  return [...whole];
}

function benchStep({ origin, tokens, reward, rejected }: RunResult["steps"][number]): BenchStep {
  return {
    origin,
    tokens,
    reward,
    rejected: rejected.map((step) => ({ origin: step.origin, tokens: step.tokens, reward: step.reward })),
  };
}

function failed(error: ErrorData) {
  return {
    finish: "failed" as const,
    text: "",
    answer: "",
    correct: false,
    strict: false,
    error,
    steps: [],
    candidates: { seen: 0, right: 0 },
  };
}
