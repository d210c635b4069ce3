/** The trace that a run leaves on disk. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import type { TraceContents } from "../core/trace.js";
import { type FileSink, openTraceSink } from "../core/trace-file.js";
import type { CommandContext } from "./command.js";
import { runsFolder } from "./state-folder.js";

export interface RunTrace {
  /** Id of the run. */
  readonly run: string;
  readonly path: string;
  /** The run closes it. */
  readonly sink: FileSink;
  /** For a run that never started: leaves no empty file behind. */
  discard(): Promise<void>;
}

export interface TraceSettings {
  readonly trace?: string | undefined;
  readonly noTrace: boolean;
}

/**
 * Null where none is wanted. A file that the caller named must be writable; the one in the state folder is a
 * courtesy, and the run goes on without it.
 */
export async function newTrace(
  { host, say }: CommandContext,
  { trace, noTrace }: TraceSettings,
): Promise<RunTrace | null> {
  if (noTrace && trace !== undefined) {
    throw new StepwrightError("invalid-option", "--trace and --no-trace exclude each other", {
      subject: "--no-trace",
      remedy: "leave one of them out",
    });
  }
  if (noTrace) return null;
  const run = newRunId();
  if (trace !== undefined) {
    const path = resolve(host.workingFolder, trace);
    return freshTrace(run, path, await openTraceSink(path));
  }
  const path = join(runsFolder(host), `${run}.jsonl`);
  const sink = await openTraceSink(path, { onFailure: "memory", onNotice: say });
  return sink.failure ? null : freshTrace(run, path, sink);
}

function freshTrace(run: string, path: string, sink: FileSink): RunTrace {
  const discard = async () => {
    await sink.close();
    await rm(path, { force: true });
  };
  return { run, path, sink, discard };
}

/** A trace that is taken up again: what it holds stays, its torn end goes. */
export async function resumedTrace(path: string, run: string, contents: TraceContents): Promise<RunTrace> {
  const sink = await openTraceSink(path, { contents });
  return { run, path, sink, discard: () => sink.close() };
}

/** Sorts by time, and two of the same second differ. */
function newRunId(): string {
  const time = new Date().toISOString().replace(/\..*/, "").replace(/[-:]/g, "").replace("T", "-");
  return `${time}-${randomBytes(3).toString("hex")}`;
}
