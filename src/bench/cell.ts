/** One cell of the bench: one question, one method, one seed, run and graded. */
import { type ErrorData, StepwrightError, throwIfAborted } from "../core/errors.js";
import { ledgerOf } from "../core/ledger.js";
import { keyedBits } from "../core/random.js";
import type { Reward, StepCheck } from "../core/reward.js";
import { type RejectedStep, type RunRequest, type RunResult, type RunRoles, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import type { Task, TaskQuestion } from "../tasks/task.js";
import type { BenchEntry } from "./method-list.js";
import type { BenchResult, BenchStep, SeenStep } from "./result.js";

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
  /** Those that entries name for themselves, by reference. */
  readonly rewards?: ReadonlyMap<string, Reward>;
  readonly request: Omit<
    RunRequest,
    "method" | "options" | "question" | "roles" | "seed" | "signal" | "checkStep"
  >;
  /** The name of the grading rules. */
  readonly grading: string;
  readonly grade: Grade;
  /** Judges single steps, where the task can. */
  readonly checkStep?: Task["checkStep"];
  readonly signal?: AbortSignal | undefined;
}

/**
 * The seed of a run. Random numbers are keyed by seed and position, so one seed for all questions would draw alike
 * at every question; the methods of one question share it.
 */
export function runSeed(seed: number, question: string): number {
  return keyedBits(seed, question, 0, "bench question");
}

/** The bench's roles, with the entry's own reward where it names one. */
export function rolesFor(
  entry: BenchEntry,
  { roles, rewards }: Pick<CellSettings, "roles" | "rewards">,
): RunRoles {
  return entry.reward === undefined ? roles : { ...roles, reward: rewards?.get(entry.reward) };
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
    steps: benchSteps(result.steps, stepCheck(question, settings)),
    candidates: { seen: texts.length, right: verdicts.filter((verdict) => verdict.correct).length },
    ledger: result.ledger,
  };
}

async function answer(
  { question, entry, temperature }: Cell,
  seed: number,
  settings: CellSettings,
  events: TraceEvent[],
): Promise<RunResult> {
  const { method, options } = entry;
  const { request, signal } = settings;
  const checkStep = stepCheck(question, settings);
  const sampling = temperature === undefined ? request.sampling : { ...request.sampling, temperature };
  const run = startRun({
    ...request,
    sampling,
    checkStep,
    method,
    options,
    question: question.question,
    roles: rolesFor(entry, settings),
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

function stepCheck(question: TaskQuestion, { checkStep }: CellSettings): StepCheck | undefined {
  return checkStep && ((stepsBefore, step) => checkStep(question, stepsBefore, step));
}

function benchSteps(steps: RunResult["steps"], checkStep: StepCheck | undefined): BenchStep[] {
  return steps.map((step, place) => {
    const before = steps.slice(0, place).map(({ text }) => text);
    const seen = ({ origin, tokens, reward, text }: RejectedStep): SeenStep => ({
      origin,
      tokens,
      reward,
      ...(checkStep && { right: checkStep(before, text) }),
    });
    return { ...seen(step), length: step.text.length, rejected: step.rejected.map(seen) };
  });
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
