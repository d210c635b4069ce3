/** Runs on disk, a folder each: `run.json` and `trace.jsonl`. One server at a time works in it; old runs make room. */
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StepwrightError } from "../../core/errors.js";
import { type ProcessLock, takeLock } from "../../core/process-lock.js";
import { type TraceContents, TraceReader } from "../../core/trace.js";
import type { TraceEvent } from "../../core/trace-event.js";
import { type FileSink, openTraceSink, readTrace } from "../../core/trace-file.js";
import type { ServiceLimits } from "../limits.js";
import { isRunId, type RunFacts, runFactsSchema } from "./run-facts.js";

export interface StoreOptions extends Pick<ServiceLimits, "keepDays" | "keepBytes"> {
  readonly folder: string;
  /** Told what could not be read or kept. */
  readonly onNotice: (notice: string) => void;
}

const newLine = 0x0a;
/** How many removed runs are remembered, so that their readers learn that they are gone and not unknown. */
const rememberedRemovals = 10_000;

export class RunStore implements AsyncDisposable {
  readonly #options: StoreOptions;
  readonly #lock: ProcessLock;
  /** Runs that are over, oldest first. */
  readonly #index = new Map<string, RunFacts>();
  #bytes = 0;

  private constructor(options: StoreOptions, lock: ProcessLock) {
    this.#options = options;
    this.#lock = lock;
  }

  /** Throws `locked` where another server works in the folder, `storage-failed` where it cannot be written. */
  static async open(options: StoreOptions, removed: RemovedRuns): Promise<RunStore> {
    const { folder, onNotice } = options;
    const lock = await lockedFolder(folder);
    if (lock.notice) onNotice(`${folder}: ${lock.notice}`);
    const store = new RunStore(options, lock);
    for (const name of (await readdir(folder)).filter(isRunId).sort()) {
      const facts = await store.#readFacts(name);
      if (facts) store.#keep(facts);
    }
    await store.prune(removed);
    return store;
  }

  /** Runs that are over, oldest first. */
  get runs(): Iterable<RunFacts> {
    return this.#index.values();
  }

  get(id: string): RunFacts | undefined {
    return this.#index.get(id);
  }

  /** Where the run's events go; undefined where they cannot be kept: the run then goes on without. */
  async begin(facts: RunFacts, contents?: TraceContents): Promise<FileSink | undefined> {
    const { onNotice } = this.#options;
    try {
      await mkdir(this.#path(facts.id), { recursive: true });
      await this.#writeFacts(facts, false);
    } catch (error) {
      onNotice(`run ${facts.id} is not kept: ${(error as Error).message}`);
      return undefined;
    }
    const sink = await openTraceSink(this.tracePath(facts.id), {
      onFailure: "memory",
      onNotice,
      ...(contents && { contents }),
    });
    return sink.failure ? undefined : sink;
  }

  /** Keeps a run that is over. False where that failed: the run is then not listed. */
  async finish(facts: RunFacts): Promise<boolean> {
    try {
      const { size } = await stat(this.tracePath(facts.id));
      const whole = { ...facts, bytes: size };
      await this.#writeFacts(whole, true);
      this.#keep(whole);
      return true;
    } catch (error) {
      this.#options.onNotice(`run ${facts.id} is not kept: ${(error as Error).message}`);
      return false;
    }
  }

  /** Leaves nothing of a run that never began, or whose trace is not whole. */
  async discard({ id }: RunFacts): Promise<void> {
    await this.#remove(id);
  }

  /** A run that is taken up again is not over any more. */
  reopen(id: string): void {
    this.#forget(id);
  }

  /** Throws `trace-invalid` or `storage-failed`. */
  read(id: string): Promise<TraceContents> {
    return readTrace(this.tracePath(id));
  }

  /** The first record alone, which may be all that is wanted of a long trace. Throws as `read`. */
  async readStart(id: string): Promise<TraceEvent | undefined> {
    const reader = new TraceReader();
    for await (const chunk of createReadStream(this.tracePath(id)) as AsyncIterable<Buffer>) {
      reader.push(chunk);
      if (chunk.includes(newLine)) break;
    }
    return reader.end().events[0];
  }

  tracePath(id: string): string {
    return join(this.#path(id), "trace.jsonl");
  }

  /** Removes what is too old, then the oldest until the rest fits. */
  async prune(removed: RemovedRuns): Promise<void> {
    const { keepDays, keepBytes } = this.#options;
    const oldest = Date.now() / 1000 - keepDays * 86_400;
    for (const { id, owner, created } of this.#index.values()) {
      if (created >= oldest && this.#bytes <= keepBytes) break;
      removed.add(id, owner);
      await this.#remove(id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock[Symbol.asyncDispose]();
  }

  #path(id: string): string {
    if (!isRunId(id)) throw new StepwrightError("internal", "this is not the id of a run");
    return join(this.#options.folder, id);
  }

  async #remove(id: string): Promise<void> {
    this.#forget(id);
    try {
      await rm(this.#path(id), { recursive: true, force: true });
    } catch (error) {
      this.#options.onNotice(`run ${id} cannot be removed: ${(error as Error).message}`);
    }
  }

  #keep(facts: RunFacts): void {
    this.#forget(facts.id);
    this.#index.set(facts.id, facts);
    this.#bytes += facts.bytes;
  }

  #forget(id: string): void {
    this.#bytes -= this.#index.get(id)?.bytes ?? 0;
    this.#index.delete(id);
  }

  /** Written aside and moved into place: a reader finds the old facts or the new ones, never half of them. */
  async #writeFacts(facts: RunFacts, mustLast: boolean): Promise<void> {
    const path = join(this.#path(facts.id), "run.json");
    const file = await open(`${path}.new`, "w");
    try {
      await file.writeFile(`${JSON.stringify(facts)}\n`);
      if (mustLast) await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }

  async #readFacts(id: string): Promise<RunFacts | undefined> {
    try {
      const text = await readFile(join(this.#path(id), "run.json"), "utf8");
      const facts = runFactsSchema.parse(JSON.parse(text));
      if (facts.id !== id) throw new Error("it names another run");
      if (facts.ended !== null) return facts;
      const { size } = await stat(this.tracePath(id));
      return { ...facts, status: "interrupted", bytes: size };
    } catch (error) {
      this.#options.onNotice(
        `${id}: its facts cannot be read and it is not listed: ${(error as Error).message}`,
      );
      return undefined;
    }
  }
}

/** Runs that were there and are not kept any more, with their owners. */
export class RemovedRuns {
  readonly #owners = new Map<string, string>();

  add(id: string, owner: string): void {
    this.#owners.set(id, owner);
    if (this.#owners.size > rememberedRemovals) this.#owners.delete(this.#owners.keys().next().value!);
  }

  has(id: string, owner: string): boolean {
    return this.#owners.get(id) === owner;
  }
}

async function lockedFolder(folder: string): Promise<ProcessLock> {
  const remedy = "name another folder for the server's runs, or keep none: --no-store";
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const reason = (error as Error).message;
    throw new StepwrightError("storage-failed", `the server's runs cannot be kept: ${reason}`, {
      subject: folder,
      remedy,
      cause: error,
    });
  }
  return takeLock(join(folder, "server.lock"), { what: "this folder of a server's runs", remedy });
}
