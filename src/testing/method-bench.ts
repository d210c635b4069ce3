/** One method in the toy world, with what the conformance cases ask of it. */
import type { Limits } from "../core/ledger.js";
import type { Method } from "../core/method.js";
import { type RunRequest, type RunResult, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { type ToyOptions, toyQuestion, toySuccess, toyWorld } from "./toy-world.js";
import { VirtualClock } from "./virtual-clock.js";

export interface Ran {
  readonly result: RunResult;
  /** Trace events only. */
  readonly events: TraceEvent[];
}

export class MethodBench {
  readonly method: Method;
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(method: Method, options: Readonly<Record<string, unknown>>) {
    this.method = method;
    this.#options = options;
  }

  world(options?: ToyOptions) {
    return toyWorld(this.method, options);
  }

  request(more: Partial<RunRequest> = {}): RunRequest {
    const base = { method: this.method, options: this.#options, question: toyQuestion, id: "toy" };
    return { ...base, sampling: { temperature: 1 }, roles: this.world().roles, ...more };
  }

  async run(more: Partial<RunRequest> = {}): Promise<Ran> {
    const run = startRun(this.request(more));
    const events: TraceEvent[] = [];
    for await (const event of run) if (event.type !== "text-written") events.push(event);
    return { result: await run.result, events };
  }

  /** A request in virtual time, where every call takes a second. */
  slow(): Partial<RunRequest> & { clock: VirtualClock } {
    const clock = new VirtualClock();
    const script = { delay: () => 1, sleep: clock.sleep };
    return { clock, roles: this.world({ draft: script, target: script, reward: script }).roles };
  }

  /** How often the answer is right within this budget. */
  async success(budget: Limits, runs = 200): Promise<number> {
    let right = 0;
    for (let seed = 0; seed < runs; seed++) {
      const { result } = await this.run({ seed, budget });
      if (result.finish === "stop" && toySuccess(result.text)) right++;
    }
    return right / runs;
  }
}

/** The trace without what no two runs share: seconds, and the run's own name. */
export function timeless(events: readonly TraceEvent[]): unknown {
  const timed = new Set(["seconds", "elapsed", "run"]);
  return JSON.parse(JSON.stringify(events, (key, value) => (timed.has(key) ? 0 : value)));
}
