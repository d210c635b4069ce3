/** One answer on its way: waits, runs, leaves its events in a log and on disk, and ends for one of several reasons. */
import { StepwrightError } from "../../core/errors.js";
import { type RunRequest, type RunResult, startRun } from "../../core/run.js";
import type { TraceContents } from "../../core/trace.js";
import type { TraceEvent } from "../../core/trace-event.js";
import type { FileSink } from "../../core/trace-file.js";
import type { NumberedEvent, RunChoice } from "../types.js";
import type { Candidate } from "./admission.js";
import { EventLog, type ReadOptions } from "./event-log.js";
import { endedFacts, type RunFacts, type RunStatus } from "./run-facts.js";
import type { RunStore } from "./run-store.js";

/** Everything of a run's request that its caller decides. */
export type AskedRequest = Omit<RunRequest, "signal" | "sink" | "id" | "recording">;

export interface LiveRunOptions {
  readonly facts: RunFacts;
  readonly request: AskedRequest;
  /** Predicted tokens. */
  readonly cost: number;
  readonly store: RunStore | undefined;
  /** What an earlier part of this run left: it is taken up where that ends. */
  readonly recorded?: TraceContents | undefined;
  readonly observer: RunObserver;
}

/** What the service wants to know of its runs. */
export interface RunObserver {
  onStart?(run: LiveRun): void;
  /** Not called for what an earlier part of the run left. */
  onEvent?(run: LiveRun, event: TraceEvent): void;
  /** `error`: why the run failed, if it did. */
  onEnd?(run: LiveRun, error: unknown): void;
}

export class LiveRun implements RunChoice, Candidate {
  readonly request: AskedRequest;
  readonly cost: number;
  readonly log: EventLog;
  /** Unix seconds: when it came, or was taken up again. */
  readonly asked = Date.now() / 1000;
  readonly result: Promise<RunResult>;
  readonly #options: LiveRunOptions;
  readonly #controller = new AbortController();
  #facts: RunFacts;
  /** What an end by our own hand makes of it. */
  #cutAs: RunStatus | undefined;
  #resolve!: (result: RunResult) => void;
  #reject!: (error: unknown) => void;

  constructor(options: LiveRunOptions) {
    this.#options = options;
    this.#facts = options.facts;
    this.request = options.request;
    this.cost = options.cost;
    this.log = new EventLog(options.recorded?.events);
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Who only reads the events must not be hit by an unhandled rejection.
    this.result.catch(() => {});
  }

  get id(): string {
    return this.#facts.id;
  }

  get owner(): string {
    return this.#facts.owner;
  }

  get facts(): RunFacts {
    return this.#facts;
  }

  get isOver(): boolean {
    return this.#facts.ended !== null;
  }

  /** An earlier part of it was there already. */
  get isResumed(): boolean {
    return this.#options.recorded !== undefined;
  }

  get isCancelled(): boolean {
    return this.#controller.signal.aborted;
  }

  events(after?: number): AsyncIterable<NumberedEvent> {
    return this.read({ after, text: "whole" });
  }

  read(options: ReadOptions): AsyncGenerator<NumberedEvent, void, void> {
    return this.log.read(options);
  }

  /** A run that works ends with the best answer it has; `interrupted` ones can be taken up again. */
  cancel(reason: string, status?: "cancelled" | "interrupted"): void {
    if (this.isOver) return;
    this.#cutAs ??= status;
    this.#controller.abort(new Error(reason));
  }

  /** Of a run that was still waiting: it ends without having begun. */
  withdrawn(): void {
    const error = new StepwrightError("aborted", "the run was cancelled before it began", {
      cause: this.#controller.signal.reason,
    });
    void this.#end(error, undefined);
  }

  async start(): Promise<void> {
    const { store, recorded, observer } = this.#options;
    const { signal } = this.#controller;
    this.#facts = { ...this.#facts, status: "running", started: Date.now() / 1000 };
    observer.onStart?.(this);
    let sink: FileSink | undefined;
    try {
      sink = await store?.begin(this.#facts, recorded);
      const run = startRun({
        ...this.request,
        id: this.id,
        signal,
        sink,
        ...(recorded && { recording: recorded.events }),
      });
      // What an earlier part left stands in the log already.
      let isNew = recorded === undefined;
      for await (const event of run) {
        isNew ||= event.type === "run-resumed";
        if (!isNew) continue;
        this.log.append(event);
        if (event.type !== "text-written") observer.onEvent?.(this, event);
      }
      await this.#end(undefined, await run.result, sink);
    } catch (error) {
      await this.#end(error, undefined, sink);
    }
  }

  async #end(error: unknown, result: RunResult | undefined, sink?: FileSink): Promise<void> {
    const { store, observer } = this.#options;
    const last = this.log.records.at(-1);
    this.#facts = endedFacts(this.#facts, last, error, this.#cutAs);
    const isWhole = last !== undefined && sink !== undefined && !sink.failure;
    // What an earlier part left is kept, whatever became of this one.
    if (isWhole || this.isResumed) await store?.finish(this.#facts);
    // What never began, or is not whole, is not kept.
    else if (this.#facts.started !== null) await store?.discard(this.#facts);
    this.log.close();
    observer.onEnd?.(this, error);
    if (result) this.#resolve(result);
    else this.#reject(error);
  }
}
