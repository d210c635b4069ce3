/** The trace that a run leaves on disk. */
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { takeLock } from "../core/process-lock.js";
import type { TraceContents } from "../core/trace.js";
import { type FileSink, openTraceSink, readTrace, type TraceSinkOptions } from "../core/trace-file.js";
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
    return freshTrace(run, path, await lockedSink(path));
  }
  const path = join(runsFolder(host), `${run}.jsonl`);
  const sink = await lockedSink(path, { onFailure: "memory", onNotice: say });
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
  const sink = await lockedSink(path, { contents });
  return { run, path, sink, discard: () => sink.close() };
}

/** No second process may go on with a run that this one writes. */
async function lockedSink(path: string, options: TraceSinkOptions = {}): Promise<FileSink> {
  const lock = await lockTrace(path).catch((error) => {
    if (options.onFailure === "memory" && StepwrightError.is(error, "storage-failed")) return undefined;
    throw error;
  });
  try {
    if (lock?.notice) options.onNotice?.(lock.notice);
    if (options.contents) await checkUnchanged(path, options.contents);
    return await openTraceSink(path, lock ? { ...options, lock } : options);
  } catch (error) {
    await lock?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Between the reading and the lock, the process that had it may have gone on. */
async function checkUnchanged(path: string, read: Pick<TraceContents, "events">): Promise<void> {
  const { events } = await readTrace(path);
  if (events.length === read.events.length) return;
  throw new StepwrightError("locked", "another process went on with this trace just now", {
    subject: path,
    remedy: "run it again: it goes on from there",
  });
}

async function lockTrace(path: string) {
  const words = { what: "this trace", remedy: "choose another place: --trace FILE, or --no-trace" };
  // What is wrong with the folder, the lock says in its own words.
  await mkdir(dirname(path), { recursive: true }).catch(() => {});
  return takeLock(`${path}.lock`, words);
}

/** Sorts by time, and two of the same second differ. */
function newRunId(): string {
  const time = new Date().toISOString().replace(/\..*/, "").replace(/[-:]/g, "").replace("T", "-");
  return `${time}-${randomBytes(3).toString("hex")}`;
}
