/** Errors as the API gives them: OpenAI's error object, with a stable code, the field at fault and a remedy. */
import { type ErrorCode, StepwrightError } from "../core/errors.js";

export interface ApiErrorDetails {
  /** The field at fault, as in `stream_options.include_usage`. */
  readonly param?: string | undefined;
  readonly remedy?: string | undefined;
  /** Seconds; sent as `retry-after`. */
  readonly retryAfter?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

export interface ApiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
    readonly remedy?: string;
    readonly request_id?: string;
  };
}

/** A refusal or failure with its HTTP status. Its message may reach anybody: no paths, keys or prompts in it. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | undefined;
  readonly remedy: string | undefined;
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, details: ApiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.param = details.param;
    this.remedy = details.remedy;
    this.retryAfter = details.retryAfter;
    this.headers = {
      ...details.headers,
      ...(details.retryAfter !== undefined && { "retry-after": String(Math.ceil(details.retryAfter)) }),
    };
  }

  body(requestId?: string): ApiErrorBody {
    return {
      error: {
        message: this.message,
        type: typeOf(this.status),
        param: this.param ?? null,
        code: this.code,
        ...(this.remedy !== undefined && { remedy: this.remedy }),
        ...(requestId !== undefined && { request_id: requestId }),
      },
    };
  }
}

/**
 * Status and code; a failure inside has its message here too, because its own may hold what was asked. What a caller
 * can fix is 4xx, and so is what would fail again: a 5xx makes clients send the whole search once more.
 */
const statuses: Readonly<Partial<Record<ErrorCode, readonly [number, string, string?]>>> = {
  "invalid-option": [400, "invalid_value"],
  "unknown-name": [400, "invalid_value"],
  "missing-capability": [400, "missing_capability"],
  "missing-role": [400, "missing_role"],
  "context-exceeded": [400, "context_length_exceeded"],
  "template-invalid": [400, "template_invalid"],
  "template-limit": [400, "template_limit"],
  "budget-exhausted": [400, "budget_exhausted"],
  "reward-failed": [424, "reward_failed", "the reward gave no valid number"],
  "engine-failed": [503, "engine_failed", "the engine failed while it worked on this run; it starts again"],
  "native-unavailable": [503, "engine_failed", "the engine cannot start"],
  "remote-unavailable": [503, "remote_unavailable", "the server of a remote model does not answer"],
  "remote-invalid": [502, "remote_invalid", "the server of a remote model gave no valid answer"],
  "remote-refused": [502, "remote_refused", "the server of a remote model refused"],
  internal: [500, "internal_error", "the server failed at this request"],
  aborted: [503, "run_cancelled", "the run was cancelled"],
};

/** Any thrown value as an API error. What is not ours is `internal_error`, and its message stays here. */
export function apiErrorFrom(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!StepwrightError.is(error)) {
    return new ApiError(500, "internal_error", "the server failed at this request", {
      remedy: "report it with the request's id",
      cause: error,
    });
  }
  const [status, code, message] = statuses[error.code] ?? [
    500,
    error.code.replaceAll("-", "_"),
    "the run failed",
  ];
  return new ApiError(status, code, message ?? error.message, {
    param: message === undefined ? error.subject : undefined,
    remedy: message === undefined ? error.remedy : undefined,
    retryAfter: status === 503 ? 1 : undefined,
    cause: error,
  });
}

function typeOf(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}
