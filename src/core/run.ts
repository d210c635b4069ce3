/** A run: method, models, budget, seed and abort signal become events, then a result. */
import type { Halt } from "./calls.js";
import { systemClock } from "./clock.js";
import { StepwrightError } from "./errors.js";
import type { Method } from "./method.js";
import { Recorder } from "./recorder.js";
import { Recording } from "./recording.js";
import { checkSameRun, recordedRequest, runStarted } from "./run-identity.js";
import { type CheckedRequest, checkRequest, type RunRequest } from "./run-request.js";
import { type RunResult, resultSteps, resultText } from "./run-result.js";
import type { Finish } from "./search.js";
import type { SearchNode } from "./search-node.js";
import { Searcher } from "./searcher.js";
import { type RunEvent, standing, type TraceEvent } from "./trace-event.js";

export type { TraceSink } from "./recorder.js";
export { recordedRequest } from "./run-identity.js";
export { mathsSystem, parseOptions, type RunRequest, type RunRoles } from "./run-request.js";
export type { RejectedStep, ResultStep, RunResult } from "./run-result.js";

/**
 * A run in progress. Its events can be read once, by a reader who may be slow, leave early or not come at all;
 * the run goes on regardless. `result` rejects when the run fails; running out of budget or being aborted is no
 * failure, the result then holds the best answer so far.
 */
export interface Run extends AsyncIterable<RunEvent> {
  readonly id: string;
  readonly result: Promise<RunResult>;
}

/** Checks everything that can be checked (throws before a model is touched), then starts. */
export function startRun(request: RunRequest): Run {
  return start(request, checkRequest(request));
}

/** Runs the method over a trace, with no model: recorded answers only. The result equals the recorded one. */
export function replay(events: readonly TraceEvent[], method: Method): Promise<RunResult> {
  const { options, ...recorded } = recordedRequest(standing(events));
  return start(
    { ...recorded, method, roles: {}, recording: events },
    { ...checkRequest({ ...recorded, method: { ...method, needs: {} }, options, roles: {} }) },
    true,
  ).result;
}

function start(request: RunRequest, checked: CheckedRequest, replayed = false): Run {
  const { clock = systemClock, sink, signal } = request;
  const recording = request.recording && new Recording(request.recording, { whole: replayed });
  const first = recording?.events[0];
  if (recording && first?.type !== "run-started") {
    throw new StepwrightError("trace-invalid", "the trace does not begin with the start of a run");
  }
  const id = request.id ?? (first?.type === "run-started" ? first.run : crypto.randomUUID());
  const started = runStarted(id, request, checked);
  if (first?.type === "run-started") checkSameRun(started, first, replayed);
  const limits = checked.budget;
  const recorder = new Recorder({ limits, clock, sink, recording, replay: replayed });
  const result = signal?.aborted
    ? refuse(recorder, signal)
    : carryOut(request, checked, recorder, started, new Searcher(checked.settings, recorder, clock, signal));
  // A caller who only reads the events must not be hit by an unhandled rejection.
  result.catch(() => {});
  return { id, result, [Symbol.asyncIterator]: () => recorder.channel[Symbol.asyncIterator]() };
}

async function refuse(recorder: Recorder, signal: AbortSignal): Promise<never> {
  await recorder.close();
  throw new StepwrightError("aborted", "the run was aborted before it started", { cause: signal.reason });
}

async function carryOut(
  request: RunRequest,
  { options, settings }: CheckedRequest,
  recorder: Recorder,
  started: TraceEvent,
  searcher: Searcher,
): Promise<RunResult> {
  try {
    recorder.emit(started);
    const { node, finish, cut } = await untilEnd(request.method, options, searcher);
    const text = resultText(node, settings.stop);
    const { elapsed, ledger } = closing(recorder);
    const end = { finish, ...(cut && { cut }), node: node.id, text, ledger, elapsed };
    recorder.emit({ type: "run-finished", ...end });
    await recorder.close();
    const { seed } = settings;
    const run = started.type === "run-started" ? started.run : "";
    return { run, method: request.method.name, finish, seed, text, steps: resultSteps(node), ledger };
  } catch (thrown) {
    const error = StepwrightError.from(thrown);
    recorder.fail({ type: "run-failed", error: error.toJSON() });
    // The first failure is the one to report, also when the trace cannot be closed after it.
    await recorder.close().catch(() => {});
    throw error;
  } finally {
    searcher.drop();
  }
}

/** Runs the method to its end, or to where it was cut: then the answer is its best offer, or what it had decided for. */
async function untilEnd(
  method: Method,
  options: Record<string, unknown>,
  searcher: Searcher,
): Promise<{ node: SearchNode; finish: Finish; cut?: Halt }> {
  let last: SearchNode | undefined;
  let finish: Finish | undefined;
  let cut: Halt | undefined;
  try {
    const outcome = await method.run(searcher, options);
    last = outcome.node as SearchNode;
    finish = searcher.halted ?? outcome.finish;
  } catch (error) {
    if (!searcher.halted || !isHalt(error)) {
      await searcher.settle();
      throw error;
    }
    cut = searcher.halted;
    finish = cut;
  }
  await searcher.settle();
  last ??= searcher.best;
  searcher.finish(last);
  return { node: last, finish: last.finish ?? finish, ...(cut && { cut }) };
}

function isHalt(error: unknown): boolean {
  return StepwrightError.is(error, "aborted") || StepwrightError.is(error, "budget-exhausted");
}

function closing(recorder: Recorder) {
  const elapsed = recorder.elapsed();
  const ledger = recorder.ledger.toJSON();
  return { elapsed, ledger: { ...ledger, total: { ...ledger.total, seconds: elapsed } } };
}
