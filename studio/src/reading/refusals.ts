/** What a reader says where a run cannot be shown. */
import { StepwrightError } from "../../../src/core/errors.js";
import type { SourceState } from "./protocol.js";
import { NoRun } from "./run-tree.js";

/** An answer that will not change by asking again. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

export async function problemOf(response: Response): Promise<Error> {
  const body = await response.text().catch(() => "");
  const message = messageOf(body) || `the server answers ${response.status}`;
  if (response.status === 401)
    return new Refused(message, "open the link that stepwright printed when it started");
  if (response.status >= 500 || response.status === 429) return new Error(message);
  return new Refused(
    message,
    response.status === 410 ? "the run is too old: it is kept no more" : "look at the list of runs",
  );
}

function messageOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? error.message : "";
  } catch {
    return "";
  }
}

export function refusal(error: unknown): SourceState {
  if (error instanceof Refused) return { kind: "refused", message: error.message, remedy: error.remedy };
  if (error instanceof NoRun) {
    return {
      kind: "refused",
      message: error.message,
      remedy: "no run leaves such a trace: take another copy of it",
    };
  }
  const { message, remedy } = StepwrightError.from(error);
  return { kind: "refused", message, remedy: remedy ?? "try another file" };
}
