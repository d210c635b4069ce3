/** The events of an earlier part of a run: answers to calls that were paid for, and the order of what happened. */
import { StepwrightError } from "./errors.js";
import { standing, type TraceEvent } from "./trace-event.js";

type Written = Extract<TraceEvent, { type: "step-written" }>;
type Scored = Extract<TraceEvent, { type: "step-scored" | "reward-failed" }>;

export class Recording {
  readonly events: readonly TraceEvent[];
  readonly #written = new Map<string, Written>();
  readonly #scored = new Map<string, Scored>();
  #next = 0;

  /** With `whole`, an aborted or failed end is kept as it is; else it is taken off, so that the run can go on. */
  constructor(events: readonly TraceEvent[], { whole = false } = {}) {
    this.events = whole ? standing(events) : withoutCutEnd(standing(events));
    for (const event of this.events) {
      if (event.type === "step-written") this.#written.set(event.node, event);
      if (event.type === "step-scored" || event.type === "reward-failed") this.#scored.set(event.node, event);
    }
  }

  written(node: string): Written | undefined {
    return this.#written.get(node);
  }

  scored(node: string): Scored | undefined {
    return this.#scored.get(node);
  }

  get exhausted(): boolean {
    return this.#next >= this.events.length;
  }

  /**
   * The recorded events up to the one that `event` repeats, or null when all have been taken. What was read, and
   * where the run was resumed, depends on the caches of its time and is passed through. Throws `trace-diverged`.
   */
  take(event: TraceEvent): TraceEvent[] | null {
    const taken: TraceEvent[] = [];
    while (this.#next < this.events.length) {
      const recorded = this.events[this.#next++]!;
      taken.push(recorded);
      if (recorded.type === "context-read" || recorded.type === "run-resumed") continue;
      if (!repeats(event, recorded)) throw diverged(event, recorded, this.#next - 1);
      return taken;
    }
    return taken.length > 0 ? taken : null;
  }
}

/** Without how a cut run ended: the closing record, the prunings that came with it, and a failed reward. */
function withoutCutEnd(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const last = events.at(-1);
  if (!last || !(last.type === "run-failed" || (last.type === "run-finished" && last.finish === "abort"))) {
    return events;
  }
  let end = events.length - 1;
  while (end > 0 && endsWithRun(events[end - 1]!)) end--;
  return events.slice(0, end);
}

function endsWithRun(event: TraceEvent): boolean {
  return event.type === "step-pruned" || (event.type === "reward-failed" && event.policy === "fail");
}

function repeats(event: TraceEvent, recorded: TraceEvent): boolean {
  if (event.type !== recorded.type) return false;
  switch (event.type) {
    case "run-started":
      return true; // compared field by field before the run starts
    case "run-finished":
      return (
        (recorded as typeof event).finish === event.finish && (recorded as typeof event).node === event.node
      );
    case "run-failed":
      return true;
    case "coin-tossed": {
      const coin = recorded as typeof event;
      return (
        coin.node === event.node &&
        coin.purpose === event.purpose &&
        coin.probability === event.probability &&
        coin.heads === event.heads
      );
    }
    case "run-resumed":
      return true;
    default:
      return (recorded as typeof event).node === event.node;
  }
}

function diverged(event: TraceEvent, recorded: TraceEvent, index: number): StepwrightError {
  return new StepwrightError(
    "trace-diverged",
    `record ${index} of the trace is ${describe(recorded)}, but the run came to ${describe(event)}`,
    { remedy: "resume or replay with the method, options and version that wrote the trace" },
  );
}

function describe(event: TraceEvent): string {
  return "node" in event ? `${event.type} of node "${event.node}"` : event.type;
}
