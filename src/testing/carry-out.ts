/** A run carried to its end, with the events of its trace. */
import { type RunRequest, type RunResult, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";

export interface CarriedOut {
  readonly result: RunResult;
  readonly events: readonly TraceEvent[];
}

export async function carryOut(request: RunRequest): Promise<CarriedOut> {
  const run = startRun(request);
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

type Of<Type extends TraceEvent["type"]> = Extract<TraceEvent, { type: Type }>;

/** The events of one type, in order. */
export function ofType<Type extends TraceEvent["type"]>(
  events: readonly TraceEvent[],
  type: Type,
): Of<Type>[] {
  return events.filter((event): event is Of<Type> => event.type === type);
}
