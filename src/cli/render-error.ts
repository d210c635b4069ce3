/** The one place where an error becomes words and an exit code. */
import { type ErrorCode, StepwrightError } from "../core/errors.js";
import type { Host } from "./host.js";
import { styleFor } from "./style.js";
import { harmless } from "./terminal-text.js";

/** What the caller can put right on the command line. */
const usageCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "invalid-option",
  "unknown-name",
  "missing-role",
  "missing-capability",
  "model-not-found",
  "task-not-found",
]);

export const exitInterrupted = 130;

export function exitCodeOf(error: StepwrightError): number {
  if (error.code === "aborted") return exitInterrupted;
  return usageCodes.has(error.code) ? 2 : 1;
}

/** Says what went wrong; with `json` as data on standard output too. Returns the exit code. */
export function renderError(thrown: unknown, host: Host, json: boolean): number {
  const error = errorOf(thrown);
  const style = styleFor(host.talk, host.environment);
  const lines = [`${style.red("error:")} ${harmless(error.message)}`];
  if (error.remedy) lines.push(`  ${style.bold("what to do:")} ${harmless(error.remedy)}`);
  if (error.subject && !error.message.includes(error.subject))
    lines.push(`  concerns: ${harmless(error.subject)}`);
  if (error.code === "internal") {
    lines.push("  This is a fault in stepwright. STEPWRIGHT_DEBUG=1 shows where it happened.");
  }
  if (host.environment.STEPWRIGHT_DEBUG) lines.push(stackOf(thrown));
  host.talk.write(`${lines.join("\n")}\n`);
  if (json) host.out.write(`${JSON.stringify({ error: error.toJSON() }, null, 2)}\n`);
  return exitCodeOf(error);
}

/** What a stopped wait throws (`AbortError`) is no fault of ours. */
function errorOf(thrown: unknown): StepwrightError {
  const isAbort = thrown instanceof Error && thrown.name === "AbortError";
  return StepwrightError.from(thrown, isAbort ? "aborted" : "internal");
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? "" : `\ncaused by ${stackOf(thrown.cause)}`;
  return (thrown.stack ?? thrown.message) + cause;
}
