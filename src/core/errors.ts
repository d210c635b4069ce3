/** Errors are data: a stable code, one sentence, what to do about it, and the cause. */

const marker = Symbol.for("stepwright.error");

export type ErrorCode =
  // the caller can fix these before any work starts
  | "invalid-option"
  | "unknown-name"
  | "missing-capability"
  | "missing-role"
  | "model-not-found"
  | "model-invalid"
  | "model-too-large"
  | "task-not-found"
  | "task-invalid"
  | "reward-invalid"
  | "template-invalid"
  | "template-limit"
  | "context-exceeded"
  | "vocabulary-mismatch"
  // something outside failed
  | "native-unavailable"
  | "native-mismatch"
  | "engine-failed"
  | "decode-failed"
  | "model-not-finite"
  | "download-failed"
  | "remote-unavailable"
  | "remote-invalid"
  | "remote-refused"
  | "storage-failed"
  | "reward-failed"
  // a run stopped, or cannot go on
  | "aborted"
  | "budget-exhausted"
  | "trace-invalid"
  | "trace-diverged"
  | "not-recorded"
  | "bench-invalid"
  | "locked"
  | "sandbox-unavailable"
  | "checkpoint-invalid"
  | "server-failed"
  | "internal";

export interface ErrorDetails {
  /** What the reader can do now, one sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
  /** The option, field or file at fault. */
  readonly subject?: string;
}

export class StepwrightError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly subject: string | undefined;
  readonly [marker] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "StepwrightError";
    this.code = code;
    this.remedy = details.remedy;
    this.subject = details.subject;
  }

  /** True across duplicate copies of this package, unlike `instanceof`. */
  static is(error: unknown, code?: ErrorCode): error is StepwrightError {
    return (
      typeof error === "object" &&
      error !== null &&
      (error as { [marker]?: unknown })[marker] === true &&
      (code === undefined || (error as StepwrightError).code === code)
    );
  }

  /** Plain data, to cross a process border or to be printed as JSON. */
  toJSON(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.remedy === undefined ? {} : { remedy: this.remedy }),
      ...(this.subject === undefined ? {} : { subject: this.subject }),
      ...(this.cause === undefined ? {} : { cause: causeText(this.cause) }),
    };
  }

  static fromJSON(data: ErrorData): StepwrightError {
    return new StepwrightError(data.code, data.message, {
      ...(data.remedy === undefined ? {} : { remedy: data.remedy }),
      ...(data.subject === undefined ? {} : { subject: data.subject }),
      ...(data.cause === undefined ? {} : { cause: data.cause }),
    });
  }

  /** Any thrown value as a StepwrightError; a foreign one becomes `internal` (or `code`). */
  static from(error: unknown, code: ErrorCode = "internal"): StepwrightError {
    if (StepwrightError.is(error)) return error;
    return new StepwrightError(code, error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy?: string;
  readonly subject?: string;
  readonly cause?: string;
}

function causeText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Throws `aborted` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StepwrightError("aborted", "the run was aborted", { cause: signal.reason });
}
