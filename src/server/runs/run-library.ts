/** The runs that are there, live or kept, each for its owner alone: to others it does not exist. */
import type { TraceEvent } from "../../core/trace-event.js";
import { ApiError } from "../api-error.js";
import type { NumberedEvent } from "../types.js";
import type { EarlierRun } from "./earlier-run.js";
import { readRecords } from "./event-log.js";
import type { LiveRun } from "./live-run.js";
import type { RunFacts } from "./run-facts.js";
import type { RemovedRuns, RunStore } from "./run-store.js";

export class RunLibrary {
  readonly #live: ReadonlyMap<string, LiveRun>;
  readonly #store: RunStore | undefined;
  readonly #removed: RemovedRuns;

  constructor(live: ReadonlyMap<string, LiveRun>, store: RunStore | undefined, removed: RemovedRuns) {
    this.#live = live;
    this.#store = store;
    this.#removed = removed;
  }

  /** The newest first. */
  *list(owner: string): Iterable<RunFacts> {
    for (const run of [...this.#live.values()].reverse()) if (run.owner === owner) yield run.facts;
    const kept = this.#store ? [...this.#store.runs] : [];
    for (const facts of kept.reverse()) if (facts.owner === owner && !this.#live.has(facts.id)) yield facts;
  }

  /** Throws 404 `run_not_found` for an unknown id and for another owner's, 410 `run_expired` for one that is not kept. */
  facts(id: string, owner: string): RunFacts {
    const facts = this.#live.get(id)?.facts ?? this.#store?.get(id);
    if (facts?.owner === owner) return facts;
    if (this.#removed.has(id, owner)) {
      throw new ApiError(410, "run_expired", "this run is not kept any more");
    }
    throw runNotFound();
  }

  /** What was asked, whole. Errors as `facts`. */
  async question(id: string, owner: string): Promise<string> {
    const { question } = this.facts(id, owner);
    const live = this.#live.get(id);
    if (live) return live.request.question;
    const first = await this.#store?.readStart(id);
    return first?.type === "run-started" ? first.question : question;
  }

  /** Its events so far and to come; errors as `facts`. */
  async events(id: string, owner: string, after: number | undefined): Promise<AsyncIterable<NumberedEvent>> {
    this.facts(id, owner);
    const run = this.#live.get(id);
    return run ? run.read({ after }) : readRecords((await this.read(id)).contents.events, { after });
  }

  /** Its records so far. Errors as `facts`. */
  async records(id: string, owner: string): Promise<readonly TraceEvent[]> {
    this.facts(id, owner);
    return this.#live.get(id)?.log.records ?? (await this.read(id)).contents.events;
  }

  /** The trace's file; null while only memory has it. Errors as `facts`. */
  tracePath(id: string, owner: string): string | null {
    this.facts(id, owner);
    return this.#store?.tracePath(id) ?? null;
  }

  /** A kept run, whoever owns it. Throws 404 for one that is not there, `trace-invalid` or `storage-failed`. */
  async read(id: string): Promise<EarlierRun> {
    const facts = this.#store?.get(id);
    if (!this.#store || !facts) throw runNotFound();
    return { facts, contents: await this.#store.read(id) };
  }
}

export function runNotFound(message = "there is no such run"): ApiError {
  return new ApiError(404, "run_not_found", message, { remedy: "GET /v1/runs lists the runs of your key" });
}
