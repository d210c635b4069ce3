/** What can go wrong between here and a remote engine, as typed errors; some of it passes. */
import { StepwrightError } from "../../core/errors.js";

/** A failure after which the same request may be made again, as long as nothing of an answer was used. */
export class PassingFailure extends Error {
  constructor(
    message: string,
    readonly details: {
      /** What the server asked for. */
      readonly afterSeconds?: number | undefined;
      /** True if the server may have worked on the request before it failed. */
      readonly worked?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
  }
}

/** The server cannot be reached, or fails: later it may answer. */
export function unavailable(origin: string, problem: string, cause?: unknown): StepwrightError {
  return new StepwrightError("remote-unavailable", `${origin} ${problem}`, {
    subject: origin,
    remedy:
      "check that the server runs and has its model loaded, then go on: a run that was recorded can be resumed",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The server answered with something that is not the protocol. */
export function invalidAnswer(origin: string, problem: string, cause?: unknown): StepwrightError {
  return new StepwrightError("remote-invalid", `${origin} ${problem}`, {
    subject: origin,
    remedy: "check that the address is that of an OpenAI-compatible server, with /v1 at its end",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The server understood, and will not. */
export function refused(origin: string, problem: string, remedy: string): StepwrightError {
  return new StepwrightError("remote-refused", `${origin} ${problem}`, { subject: origin, remedy });
}

/** Text of a stranger, fit for a message: one line, printable, short. */
export function shown(text: string): string {
  return text
    .replace(/[\p{C}\s]+/gu, " ")
    .trim()
    .slice(0, 200);
}
