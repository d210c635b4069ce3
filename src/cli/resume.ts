/** Takes a run up again from its trace, which holds everything that is needed. */
import { StepwrightError } from "../core/errors.js";
import { recordedRequest } from "../core/run.js";
import { cutOf, standing, type TraceEvent } from "../core/trace-event.js";
import { readTrace } from "../core/trace-file.js";
import { methods } from "../methods/index.js";
import { hubSettings } from "../models/hub-settings.js";
import type { CommandContext } from "./command.js";
import { ModelStore } from "./model-store.js";
import { type References, referencesSchema } from "./references.js";
import { type OutputForm, rolesOf, type Session } from "./run-session.js";
import { resumedTrace } from "./run-trace.js";

export interface RecordedRun {
  readonly path: string;
  /** The records that stand. */
  readonly events: readonly TraceEvent[];
  readonly method: string;
  readonly finished: boolean;
}

/** Reads a trace and says what was wrong with it. */
export async function readRun({ say }: Pick<CommandContext, "say">, path: string) {
  const contents = await readTrace(path);
  for (const notice of contents.notices) say(`${path}: ${notice}`);
  const events = standing(contents.events);
  const first = events[0];
  const last = events.at(-1);
  // The reader accepts no trace that does not begin so.
  const method = first?.type === "run-started" ? first.method : "";
  const finished = last?.type === "run-finished" && cutOf(last) !== "abort";
  return { contents, recorded: { path, events, method, finished } satisfies RecordedRun };
}

export async function resumeSession(
  context: CommandContext,
  read: Awaited<ReturnType<typeof readRun>>,
  form: OutputForm,
): Promise<Session> {
  const { contents, recorded } = read;
  const method = await methods.get(recorded.method);
  const { references: kept, id, ...request } = recordedRequest(contents.events);
  const references = referencesFrom(kept, recorded.path);
  await new ModelStore(references, { hub: hubSettings(context.host.environment) }).check(rolesOf(method));
  const trace = await resumedTrace(recorded.path, id ?? "", contents);
  context.say(`Resuming after ${recorded.events.length} records.`);
  return { method, request: { ...request, recording: contents.events }, references, trace, form };
}

function referencesFrom(kept: unknown, path: string): References {
  const parsed = referencesSchema.safeParse(kept);
  if (parsed.success) return parsed.data;
  throw new StepwrightError("trace-invalid", `${path} does not say which models to open`, {
    subject: path,
    remedy: "resume the run where it was started: it was not started by stepwright solve",
    cause: parsed.error,
  });
}
