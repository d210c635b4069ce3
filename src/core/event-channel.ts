/** Hands events to at most one reader, who may be slow or absent: the writer never waits. */
import { StepwrightError } from "./errors.js";
import type { RunEvent } from "./trace-event.js";

export class EventChannel implements AsyncIterable<RunEvent> {
  #buffer: RunEvent[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #taken = false;

  push(event: RunEvent): void {
    if (this.#closed) return;
    const last = this.#buffer.at(-1);
    // Unread pieces of one step are joined, so an absent reader costs no more than the text itself.
    if (event.type === "text-written" && last?.type === "text-written" && last.node === event.node) {
      this.#buffer[this.#buffer.length - 1] = { ...last, text: last.text + event.text };
    } else {
      this.#buffer.push(event);
    }
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, void> {
    if (this.#taken) {
      throw new StepwrightError("internal", "the events of a run can be read once", {
        remedy: "keep what you need of the first reading, or read the trace file",
      });
    }
    this.#taken = true;
    try {
      while (true) {
        const ready = this.#buffer;
        this.#buffer = [];
        yield* ready;
        if (this.#buffer.length > 0) continue;
        if (this.#closed) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      // A reader who left early wants no more; the run itself goes on.
      this.#closed = true;
      this.#buffer = [];
    }
  }
}
