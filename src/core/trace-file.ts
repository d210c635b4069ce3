/** Traces on disk: appended as the run goes, synced where a step or the run ends, readable after any crash. */
import { open } from "node:fs/promises";
import { StepwrightError } from "./errors.js";
import { type GrowingFile, type OpenGrowingFile, openGrowingFile } from "./growing-file.js";
import type { TraceSink } from "./recorder.js";
import { encodeLine, type TraceContents, TraceReader } from "./trace.js";
import type { TraceEvent } from "./trace-event.js";

/** What a write that fails means: the run stops with `storage-failed`, or goes on and is kept in memory only. */
export type StoragePolicy = "stop" | "memory";

export interface TraceSinkOptions {
  /** Default "stop". */
  readonly onFailure?: StoragePolicy;
  /** Told once, when storage fails under "memory". */
  readonly onNotice?: (notice: string) => void;
  /** What the file holds already: the run goes on after it. */
  readonly contents?: Pick<TraceContents, "events" | "goodBytes">;
  readonly openFile?: OpenGrowingFile;
  /** Given back when the file is closed. */
  readonly lock?: AsyncDisposable;
}

/** A sink that writes to this path. Throws `storage-failed` if the file cannot be opened and the policy is "stop". */
export async function openTraceSink(path: string, options: TraceSinkOptions = {}): Promise<FileSink> {
  const { openFile = openGrowingFile, contents } = options;
  const sink = new FileSink(path, options);
  try {
    sink.attach(await openFile(path, contents?.goodBytes ?? null));
  } catch (error) {
    sink.fail(error);
    await sink.ready();
  }
  return sink;
}

/** Throws `trace-invalid` for what is no trace, `storage-failed` for what cannot be read. */
export async function readTrace(path: string): Promise<TraceContents> {
  const reader = new TraceReader();
  try {
    const file = await open(path, "r");
    try {
      if (!(await file.stat()).isFile()) throw new Error("not a file");
      const chunk = new Uint8Array(1 << 16);
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length);
        if (bytesRead === 0) return reader.end();
        reader.push(chunk.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw StepwrightError.is(error) ? error : storageError("read", path, error);
  }
}

/** Bytes that may wait to be written before the run waits for the disk. */
const roomForWrites = 1 << 20;

export class FileSink implements TraceSink {
  readonly #path: string;
  readonly #policy: StoragePolicy;
  readonly #onNotice: (notice: string) => void;
  #file: GrowingFile | undefined;
  #index: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #mustSync = false;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #failure: StepwrightError | undefined;
  readonly #lock: AsyncDisposable | undefined;

  constructor(path: string, options: TraceSinkOptions = {}) {
    const { onFailure = "stop", onNotice = () => {}, contents, lock } = options;
    this.#path = path;
    this.#policy = onFailure;
    this.#onNotice = onNotice;
    this.#index = contents?.events.length ?? 0;
    this.#lock = lock;
  }

  attach(file: GrowingFile): void {
    this.#file = file;
  }

  /** Why nothing is written any more, if so. */
  get failure(): StepwrightError | undefined {
    return this.#failure;
  }

  fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = storageError("write", this.#path, error);
    this.#waiting = [];
    if (this.#policy === "memory") this.#onNotice(`${this.#failure.message}; the run goes on without it`);
  }

  write(event: TraceEvent): void {
    if (this.#failure) return;
    const line = encodeLine(event, this.#index++);
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#mustSync ||= isBoundary(event);
    if (this.#busy) return;
    this.#busy = true;
    this.#writing = this.#drain();
  }

  async ready(): Promise<void> {
    if (this.#waitingBytes > roomForWrites) await this.#writing;
    if (this.#failure && this.#policy === "stop") throw this.#failure;
  }

  async close(): Promise<void> {
    await this.#writing;
    const file = this.#file;
    this.#file = undefined;
    if (!this.#failure) await file?.sync().catch((error) => this.fail(error));
    await file?.close().catch((error) => this.fail(error));
    await this.#lock?.[Symbol.asyncDispose]();
    await this.ready();
  }

  /** Writes what waits, all of it at once, until nothing waits. */
  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const bytes = Buffer.concat(this.#waiting);
        const sync = this.#mustSync;
        this.#waiting = [];
        this.#mustSync = false;
        await this.#file!.append(bytes);
        if (sync) await this.#file!.sync();
        this.#waitingBytes -= bytes.length;
      }
    } catch (error) {
      this.fail(error);
      this.#waitingBytes = 0;
    } finally {
      this.#busy = false;
    }
  }
}

function isBoundary({ type }: TraceEvent): boolean {
  return type === "step-committed" || type.startsWith("run-");
}

function storageError(verb: "read" | "write", path: string, cause: unknown): StepwrightError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StepwrightError("storage-failed", `cannot ${verb} the trace: ${reason}`, {
    subject: path,
    remedy:
      verb === "read"
        ? "check the name of the file and whether you may read it"
        : "make room or choose another place: --trace FILE, or --no-trace",
    cause,
  });
}
