/** The first record of a trace, which says what run it is; and the request that can be read back from it. */
import { StepwrightError } from "./errors.js";
import type { Model } from "./model.js";
import type { Reward } from "./reward.js";
import type { CheckedRequest, RunRequest } from "./run-request.js";
import { type RoleIdentity, type TraceEvent, traceVersion } from "./trace-event.js";

export type RunStarted = Extract<TraceEvent, { type: "run-started" }>;

export function runStarted(run: string, request: RunRequest, checked: CheckedRequest): RunStarted {
  const { settings, budget, options } = checked;
  const { question, system, seed, sampling, splitter, maxTokens, maxSteps, maxStepTokens } = settings;
  const { draft, target } = settings.models;
  const { prompt, stop } = settings;
  const { reward } = settings;
  return {
    type: "run-started",
    version: traceVersion,
    run,
    method: request.method.name,
    options,
    question,
    system,
    seed,
    sampling,
    splitter,
    maxTokens,
    maxSteps,
    maxStepTokens,
    ...(prompt !== undefined && { prompt }),
    ...(stop.length > 0 && { stop }),
    budget,
    rewardFailure: settings.rewardFailure,
    roles: {
      ...(draft && { draft: identity(draft) }),
      ...(target && { target: identity(target) }),
      ...(reward && { reward: rewardIdentity(reward) }),
    },
    references: request.references ?? {},
  };
}

function identity({ name, fingerprint, vocabulary, size, speculation }: Model): RoleIdentity {
  return { name, fingerprint, vocabulary, size, ...(speculation && { speculation }) };
}

function rewardIdentity({ name, fingerprint, size }: Reward): RoleIdentity {
  return { name, ...(fingerprint !== undefined && { fingerprint }), ...(size && { size }) };
}

/** Throws `trace-diverged` if a request is not the one that the trace recorded. A replay has no models to compare. */
export function checkSameRun(started: RunStarted, recorded: RunStarted, replayed: boolean): void {
  const fields = new Set([...Object.keys(started), ...Object.keys(recorded)] as (keyof RunStarted)[]);
  for (const field of fields) {
    if (field === "version" || field === "run" || field === "references" || field === "roles") continue;
    if (canonical(started[field]) !== canonical(recorded[field])) throw otherRun(field);
  }
  if (replayed) return;
  for (const role of ["draft", "target", "reward"] as const) {
    const [now, then] = [started.roles[role], recorded.roles[role]];
    // Files may be renamed; weights and tokenizer may not change.
    const same =
      now?.fingerprint === then?.fingerprint &&
      now?.vocabulary === then?.vocabulary &&
      canonical(now?.speculation) === canonical(then?.speculation);
    if (!same || (role === "reward" && now?.name !== then?.name)) throw otherRun(role);
  }
}

function otherRun(field: string): StepwrightError {
  return new StepwrightError("trace-diverged", `the trace is of a run with another ${field}`, {
    subject: field,
    remedy: "resume with what the trace records, or start a new run",
  });
}

/** JSON whose object keys are in order, so that equal values give equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

export type RecordedRequest = Omit<RunRequest, "method" | "roles"> & { readonly options: unknown };

/** What a trace says of its request: everything but the method and the models themselves. */
export function recordedRequest(events: readonly TraceEvent[]): RecordedRequest {
  const first = events[0];
  if (first?.type !== "run-started") {
    throw new StepwrightError("trace-invalid", "the trace does not begin with the start of a run");
  }
  const { run, options, question, system, seed, sampling, splitter, references } = first;
  const { prompt, stop, maxTokens, maxSteps, maxStepTokens, budget, rewardFailure } = first;
  return {
    ...{ id: run, options, question, system, seed, sampling, splitter, references },
    ...{ prompt, stop, maxTokens, maxSteps, maxStepTokens, budget, rewardFailure },
  };
}
