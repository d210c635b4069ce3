/** What is known of a run beside its events: kept as `run.json` in the run's folder, and listed. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import type { RunRequest } from "../../core/run.js";
import { finishes, type TraceEvent } from "../../core/trace-event.js";
import { extractAnswer } from "../../grade/extract.js";
import { apiErrorFrom } from "../api-error.js";

export const runStatuses = ["queued", "running", "finished", "failed", "cancelled", "interrupted"] as const;

/** `interrupted`: the server ended before the run did; it can be taken up again. */
export type RunStatus = (typeof runStatuses)[number];

const seconds = z.number().min(0);

export const runFactsSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  /** The id of the request's first run: the answers of one request have it in common. */
  request: z.string(),
  choice: z.int().min(0),
  owner: z.string(),
  /** As the client named it. */
  model: z.string(),
  method: z.string(),
  options: z.record(z.string(), z.unknown()),
  /** Its beginning. */
  question: z.string(),
  seed: z.int().min(0),
  status: z.enum(runStatuses),
  /** Unix seconds. */
  created: seconds,
  started: seconds.nullable(),
  ended: seconds.nullable(),
  finish: z.enum(finishes).nullable(),
  answer: z.string().nullable(),
  flops: z.number().min(0).nullable(),
  /** Wall seconds of its work, over all its parts. */
  seconds: seconds.nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  idempotency: z.object({ key: z.string(), digest: z.string() }).nullable(),
  /** Of the trace on disk. */
  bytes: z.int().min(0),
});

export type RunFacts = Readonly<z.output<typeof runFactsSchema>>;

const shownCharacters = 300;

export function clipped(text: string): string {
  // Never half of a surrogate pair.
  const characters = Array.from(text.slice(0, 2 * shownCharacters));
  return characters.length > shownCharacters || text.length > 2 * shownCharacters
    ? `${characters.slice(0, shownCharacters).join("")}…`
    : text;
}

/** What the order says; the rest comes as the run goes. */
export function newFacts(
  place: Pick<RunFacts, "id" | "request" | "choice" | "owner" | "model" | "idempotency">,
  request: Omit<RunRequest, "signal" | "sink" | "id" | "recording">,
): RunFacts {
  return {
    version: 1,
    ...place,
    method: request.method.name,
    options: Object(request.options ?? {}) as Record<string, unknown>,
    question: clipped(request.question),
    seed: request.seed ?? 0,
    status: "queued",
    created: Date.now() / 1000,
    started: null,
    ended: null,
    finish: null,
    answer: null,
    flops: null,
    seconds: null,
    error: null,
    bytes: 0,
  };
}

/** The facts of a run that is over. `error`: why it failed, if it did; `cutAs`: what one that was cut is called. */
export function endedFacts(
  facts: RunFacts,
  last: TraceEvent | undefined,
  error: unknown,
  cutAs: RunStatus | undefined,
): RunFacts {
  const ended = { ...facts, ended: Date.now() / 1000 };
  if (error !== undefined || last?.type !== "run-finished") {
    const { code } = StepwrightError.from(error);
    const status = code === "aborted" && cutAs ? cutAs : "failed";
    // The error's own message may hold what is no client's business; the trace has it.
    return { ...ended, status, error: { code, message: apiErrorFrom(error).message } };
  }
  const { finish, text, ledger, elapsed } = last;
  const answer = extractAnswer(text);
  return {
    ...ended,
    status: finish === "abort" && cutAs ? cutAs : "finished",
    finish,
    answer: answer ? clipped(answer) : null,
    flops: ledger.total.flops,
    seconds: elapsed,
  };
}

/** Sorts by time, cannot be guessed, and is safe as the name of a folder. */
export function newRunId(): string {
  const time = new Date().toISOString().replace(/\..*/, "").replace(/[-:]/g, "").replace("T", "-");
  return `run-${time}-${randomBytes(8).toString("hex")}`;
}

/** The first choice has the request's id. */
export function choiceId(request: string, choice: number): string {
  return choice === 0 ? request : `${request}-${choice}`;
}

export function isRunId(text: string): boolean {
  return /^run-\d{8}-\d{6}-[0-9a-f]{16}(-[1-9]\d{0,3})?$/.test(text);
}
