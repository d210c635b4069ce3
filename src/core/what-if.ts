/** A recorded run with other options: what its recorded answers say, and where they end. */
import type { Clock } from "./clock.js";
import { StepwrightError } from "./errors.js";
import type { Method } from "./method.js";
import { type IsRecorded, Recorder } from "./recorder.js";
import { Recording } from "./recording.js";
import { recordedRequest } from "./run-identity.js";
import { checkRequest } from "./run-request.js";
import { Searcher } from "./searcher.js";
import { standing, type TraceEvent } from "./trace-event.js";

export interface WhatIf {
  /** What happens with the other options, as far as the recording tells. Costs of reading are not in it. */
  readonly events: readonly TraceEvent[];
  /** The last node of the answer; null where the run comes to a call that was never made. */
  readonly node: string | null;
}

/** No model is called, so nothing takes time. */
const stillClock: Clock = { now: () => 0, after: () => () => {} };

type Options = Readonly<Record<string, unknown>>;

/**
 * Makes a function that runs the method with other options on the recorded answers, in whatever order it asks for
 * them. No model is called: where the options lead to a call that the recorded run did not make, or made with
 * another sampling, what follows is unknown. Throws `trace-invalid`; the function throws `invalid-option`.
 */
export async function whatIf(
  events: readonly TraceEvent[],
  method: Method,
): Promise<(options: Options) => Promise<WhatIf>> {
  const recorded = recordedRequest(standing(events));
  const requests = new Map<string, string>();
  await attempt(events, method, Object(recorded.options), (node, request) => {
    requests.set(node, request);
    return true;
  });
  return (options) => attempt(events, method, options, (node, request) => requests.get(node) === request);
}

async function attempt(
  events: readonly TraceEvent[],
  method: Method,
  options: Options,
  isRecorded: IsRecorded,
): Promise<WhatIf> {
  // Limits are left out: how far the recording reaches is limit enough.
  const { budget: _, ...recorded } = recordedRequest(standing(events));
  const checked = checkRequest({ ...recorded, options, method: { ...method, needs: {} }, roles: {} });
  const seen: TraceEvent[] = [];
  const sink = {
    write: (event: TraceEvent) => seen.push(event),
    ready: async () => {},
    close: async () => {},
  };
  const recording = new Recording(events, { whole: true });
  const recorder = new Recorder({ limits: {}, clock: stillClock, recording, whatIf: isRecorded, sink });
  const searcher = new Searcher(checked.settings, recorder, stillClock);
  let node: string | null = null;
  try {
    const outcome = await method.run(searcher, checked.options);
    searcher.finish(outcome.node);
    node = outcome.node.id;
  } catch (error) {
    if (!StepwrightError.is(error, "not-recorded")) throw error;
  } finally {
    await searcher.settle();
    searcher.drop();
    await recorder.close();
  }
  return { events: seen, node };
}
