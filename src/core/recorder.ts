/** Where every event of a run goes: the ledger, the trace file, the reader. */
import type { Clock } from "./clock.js";
import { StepwrightError } from "./errors.js";
import { EventChannel } from "./event-channel.js";
import { Ledger, type Limits } from "./ledger.js";
import { isOfItsTime, type Recording } from "./recording.js";
import type { RunEvent, TraceEvent } from "./trace-event.js";

/** Keeps a run's events. A sink keeps its own failure and its own policy about it. */
export interface TraceSink {
  /** Called in order; returns at once. */
  write(event: TraceEvent): void;
  /** Resolves when there is room for more; rejects with `storage-failed` where a failed write must stop the run. */
  ready(): Promise<void>;
  /** Resolves when everything written is on disk. */
  close(): Promise<void>;
}

/** True if the recorded step of this node answers this request. */
export type IsRecorded = (node: string, request: string) => boolean;

export interface RecorderOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly sink?: TraceSink | undefined;
  readonly recording?: Recording | undefined;
  /** Only repeats the recording: anything beyond it is an error. */
  readonly replay?: boolean;
  /** Takes answers from the recording, where this is true, and need not come to the same events. */
  readonly whatIf?: IsRecorded | undefined;
}

export class Recorder {
  readonly ledger: Ledger;
  readonly channel = new EventChannel();
  readonly recording: Recording | undefined;
  readonly replaying: boolean;
  readonly whatIf: IsRecorded | undefined;
  readonly #sink: TraceSink | undefined;
  readonly #clock: Clock;
  readonly #started: number;
  readonly #earlier: number;
  #resumed = false;
  #closed = false;

  constructor({ limits, clock, sink, recording, replay = false, whatIf }: RecorderOptions) {
    this.ledger = new Ledger(limits);
    this.recording = recording;
    this.replaying = replay || whatIf !== undefined;
    this.whatIf = whatIf;
    this.#sink = sink;
    this.#clock = clock;
    this.#started = clock.now();
    for (const event of (!whatIf && recording?.events) || []) this.ledger.charge(event);
    this.#earlier = this.ledger.elapsed;
  }

  /** Wall seconds of the run so far, over all its parts. What only repeats a recording has the recorded time. */
  elapsed(): number {
    const repeats = this.replaying || this.recording?.events.at(-1)?.type === "run-finished";
    return repeats ? this.#earlier : this.#earlier + this.#clock.now() - this.#started;
  }

  emit(event: TraceEvent): void {
    if (this.#closed) return;
    const recorded = this.whatIf ? undefined : this.recording?.take(event);
    if (recorded) {
      for (const earlier of recorded) this.channel.push(earlier);
      if (!isOfItsTime(recorded.at(-1)!)) return;
    }
    if (this.replaying && !this.whatIf) {
      throw new StepwrightError("trace-invalid", "the trace ends before its run does", {
        remedy: "resume the run to finish it",
      });
    }
    if (this.recording && !this.whatIf && !this.#resumed) {
      this.#resumed = true;
      this.#record({
        type: "run-resumed",
        records: this.recording.events.length,
        elapsed: this.elapsed(),
      });
    }
    this.#record(event);
  }

  /** The end of a run that failed. A recording that it did not get through stays as it is. */
  fail(event: Extract<TraceEvent, { type: "run-failed" }>): void {
    if (this.replaying || (this.recording && !this.recording.exhausted)) this.channel.push(event);
    else this.emit(event);
  }

  /** Live only: pieces of text as they are written. */
  show(event: RunEvent): void {
    if (!this.#closed) this.channel.push(event);
  }

  /** Resolves when the trace has room for more; rejects if it cannot be kept. */
  async ready(): Promise<void> {
    await this.#sink?.ready();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.channel.close();
    await this.#sink?.close();
  }

  #record(event: TraceEvent): void {
    this.ledger.charge(event);
    this.#sink?.write(event);
    this.channel.push(event);
  }
}
