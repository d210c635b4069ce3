import { setTimeout as wait } from "node:timers/promises";
import { StepwrightError, throwIfAborted } from "../core/errors.js";
import { failed, PassingFailure } from "./hub-request.js";

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  /** Attempts in a row that bring nothing; default 6. */
  readonly attempts?: number;
  /** Seconds before the second attempt, doubled for each further one; default 1. */
  readonly baseSeconds?: number;
}

/** A server that asks for more patience than this is given up on, with its own figure in the error. */
const longestWaitSeconds = 120;

/**
 * Makes an attempt until it succeeds. An attempt that got further than the one before (`progress` grew) starts the
 * count anew, so that a line that drops every minute still brings a large file.
 */
export async function retry<Result>(
  attempt: () => Promise<Result>,
  progress: () => number,
  { signal, attempts = 6, baseSeconds = 1 }: RetryOptions = {},
): Promise<Result> {
  let reached = progress();
  for (let failures = 0; ; ) {
    throwIfAborted(signal);
    try {
      return await attempt();
    } catch (error) {
      throwIfAborted(signal);
      if (!(error instanceof PassingFailure)) throw StepwrightError.from(error, "download-failed");
      failures = progress() > reached ? 1 : failures + 1;
      reached = progress();
      const seconds = error.afterSeconds ?? baseSeconds * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
      if (failures >= attempts || seconds > longestWaitSeconds) {
        const when = error.afterSeconds === null ? "later" : `in ${Math.ceil(error.afterSeconds)} seconds`;
        throw failed(error.message, `try again ${when}: what was downloaded is kept`, error.cause);
      }
      await wait(seconds * 1000, undefined, signal ? { signal } : {}).catch(() => throwIfAborted(signal));
    }
  }
}
