/** The events of one run for any number of readers: each has a place in it, none a copy, and the run waits for nobody. */
import type { Writer } from "../../core/search.js";
import type { RunEvent, TextWritten, TraceEvent } from "../../core/trace-event.js";
import type { NumberedEvent } from "../types.js";

interface Writing {
  readonly role: Writer;
  readonly text: string;
}

export interface ReadOptions {
  /** Only what comes after this number. */
  readonly after?: number | undefined;
  /** `whole`: every step's text also comes as pieces, in one piece where it was written before. Default `live`. */
  readonly text?: "live" | "whole";
}

export class EventLog {
  readonly #records: TraceEvent[];
  /** Steps that are being written now. */
  readonly #writing = new Map<string, Writing>();
  #version = 0;
  #isClosed = false;
  #wake: (() => void) | undefined;
  #changed: Promise<void> | undefined;

  /** `records`: what an earlier part of the run left. */
  constructor(records: readonly TraceEvent[] = []) {
    this.#records = [...records];
  }

  get records(): readonly TraceEvent[] {
    return this.#records;
  }

  append(event: RunEvent): void {
    if (event.type === "text-written") {
      const text = (this.#writing.get(event.node)?.text ?? "") + event.text;
      this.#writing.set(event.node, { role: event.role, text });
    } else {
      if (event.type === "step-written" || event.type === "step-cut") this.#writing.delete(event.node);
      this.#records.push(event);
    }
    this.#change();
  }

  close(): void {
    this.#isClosed = true;
    this.#writing.clear();
    this.#change();
  }

  /** Ends after the last event, once the log is closed. */
  async *read({ after = -1, text = "live" }: ReadOptions = {}): AsyncGenerator<NumberedEvent, void, void> {
    /** Characters of unfinished steps that this reader has had. */
    const had = new Map<string, number>();
    for (let next = after + 1; ; ) {
      while (next < this.#records.length) {
        const event = this.#records[next]!;
        const rest = text === "whole" ? restOf(event, had) : undefined;
        if (rest) yield { index: null, event: rest };
        if ("node" in event) had.delete(event.node);
        yield { index: next++, event };
      }
      const version = this.#version;
      for (const [node, { role, text: written }] of this.#writing) {
        const piece = written.slice(had.get(node) ?? 0);
        had.set(node, written.length);
        if (piece !== "") yield { index: null, event: { type: "text-written", node, role, text: piece } };
      }
      if (version !== this.#version) continue;
      if (this.#isClosed) return;
      this.#changed ??= new Promise((resolve) => {
        this.#wake = resolve;
      });
      await this.#changed;
    }
  }

  #change(): void {
    this.#version++;
    this.#wake?.();
    this.#wake = undefined;
    this.#changed = undefined;
  }
}

/** Events of a run that is over, as its log would give them. */
export async function* readRecords(
  records: readonly TraceEvent[],
  options: ReadOptions = {},
): AsyncGenerator<NumberedEvent, void, void> {
  const log = new EventLog(records);
  log.close();
  yield* log.read(options);
}

/** What a reader has not had of a step that is written now. */
function restOf(event: TraceEvent, had: ReadonlyMap<string, number>): TextWritten | undefined {
  if (event.type !== "step-written") return undefined;
  const { node, role } = event;
  const text = event.text.slice(had.get(node) ?? 0);
  return text === "" ? undefined : { type: "text-written", node, role, text };
}
