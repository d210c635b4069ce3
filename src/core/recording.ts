/** The events of an earlier part of a run: answers to calls that were paid for, and the order of what happened. */
import { StepwrightError } from "./errors.js";
import { cutOf, standing, type TraceEvent } from "./trace-event.js";

/** Calls of a search, named by the event that answers them. */
type CallType =
  | "step-written"
  | "step-scored"
  | "step-read"
  | "candidates-read"
  | "threshold-advised"
  | "answer-read"
  | "answers-compared"
  | "answer-checked";

/** A score is answered by its failure, too. */
type AnswerTo<Type extends CallType> = Extract<
  TraceEvent,
  { type: Type extends "step-scored" ? "step-scored" | "reward-failed" : Type }
>;

export class Recording {
  readonly events: readonly TraceEvent[];
  readonly #answers = new Map<string, TraceEvent>();
  #next = 0;

  /** With `whole`, an aborted or failed end is kept as it is; else it is taken off, so that the run can go on. */
  constructor(events: readonly TraceEvent[], { whole = false } = {}) {
    this.events = whole ? standing(events) : withoutCutEnd(standing(events));
    for (const event of this.events) this.#answers.set(subjectOf(event), event);
  }

  /** The recorded answer to a call, by what the call is about. */
  find<Type extends CallType>(
    type: Type,
    ...about: readonly (string | number)[]
  ): AnswerTo<Type> | undefined {
    return this.#answers.get(subject(type, about)) as AnswerTo<Type> | undefined;
  }

  get exhausted(): boolean {
    return this.#next >= this.events.length;
  }

  /**
   * The recorded events up to the one that `event` repeats, or null when all have been taken. What was read for
   * want of a cache, and where the run was cut and resumed, is passed through. Throws `trace-diverged`.
   */
  take(event: TraceEvent): TraceEvent[] | null {
    const taken: TraceEvent[] = [];
    while (this.#next < this.events.length) {
      const recorded = this.events[this.#next++]!;
      taken.push(recorded);
      if (isOfItsTime(recorded)) continue;
      if (!repeats(event, recorded)) throw diverged(event, recorded, this.#next - 1);
      return taken;
    }
    return taken.length > 0 ? taken : null;
  }
}

/** Without how a cut run ended: the closing record, what was decided and pruned for it, and a failed reward. */
function withoutCutEnd(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const last = events.at(-1);
  if (last?.type !== "run-failed" && cutOf(last) !== "abort") return events;
  let end = events.length - 1;
  while (end > 0 && endsWithRun(events[end - 1]!)) end--;
  return events.slice(0, end);
}

function endsWithRun(event: TraceEvent): boolean {
  // The best offer was decided for; what the method itself had decided last it decides again, at no cost.
  if (event.type === "step-pruned" || event.type === "step-committed") return true;
  return event.type === "reward-failed" && event.policy === "fail";
}

/** True for what depends on the caches and the interruptions of its time: another run of the same calls has others. */
export function isOfItsTime({ type }: TraceEvent): boolean {
  return type === "context-read" || type === "step-cut" || type === "run-resumed";
}

function repeats(event: TraceEvent, recorded: TraceEvent): boolean {
  if (event.type !== recorded.type) return false;
  switch (event.type) {
    case "run-started": // compared field by field before the run starts
    case "run-failed":
      return true;
    case "run-finished":
      return (
        (recorded as typeof event).finish === event.finish && (recorded as typeof event).node === event.node
      );
    case "coin-tossed": {
      const coin = recorded as typeof event;
      return (
        coin.node === event.node &&
        coin.purpose === event.purpose &&
        coin.probability === event.probability &&
        coin.heads === event.heads
      );
    }
    case "answer-offered":
      return (
        (recorded as typeof event).node === event.node && (recorded as typeof event).value === event.value
      );
    default:
      return subjectOf(event) === subjectOf(recorded);
  }
}

/** What an event is about; two events of a run about the same are one and the same. */
function subjectOf(event: TraceEvent): string {
  switch (event.type) {
    // Whether it was given or failed, it is the answer to the same call.
    case "reward-failed":
      return subject("step-scored", [event.node]);
    case "step-read":
      return subject(event.type, [event.node, event.role]);
    case "candidates-read":
      return subject(event.type, [event.node, event.role, event.count]);
    case "threshold-advised":
      return subject(event.type, [event.node, event.writer]);
    case "answers-compared":
      return subject(event.type, [event.first, event.second]);
    default:
      return subject(event.type, "node" in event ? [event.node] : []);
  }
}

function subject(type: TraceEvent["type"], about: readonly (string | number)[]): string {
  return JSON.stringify([type, ...about]);
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
