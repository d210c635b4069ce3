/** Delays and faults of scripted models and rewards, by script. */
import { StepwrightError } from "../core/errors.js";

/** A call about to be answered. */
export interface ScriptedCall {
  /** Counted from 0 over all calls of the model or reward. */
  readonly index: number;
  readonly kind: "render" | "open" | "append" | "extend" | "tree" | "score";
}

/** `hang`: never answers, until the call is aborted. `wrong`: the answer is changed on its way out. */
export type Fault =
  | { readonly kind: "throw"; readonly error?: unknown }
  | { readonly kind: "hang" }
  | { readonly kind: "wrong"; readonly change: Readonly<Record<string, unknown>> };

export interface Script {
  /** Seconds that the call takes. */
  readonly delay?: (call: ScriptedCall) => number;
  readonly fault?: (call: ScriptedCall) => Fault | undefined;
  /** How time passes; default: real timers. A virtual clock offers its own. */
  readonly sleep?: (seconds: number, signal?: AbortSignal) => Promise<void>;
}

/** Plays the script before and around calls, and counts them. */
export class Stage {
  readonly #script: Script;
  calls = 0;

  constructor(script: Script) {
    this.#script = script;
  }

  async play<Answer extends object>(
    kind: ScriptedCall["kind"],
    signal: AbortSignal | undefined,
    answer: (seconds: number) => Answer | Promise<Answer>,
  ): Promise<Answer> {
    signal?.throwIfAborted();
    const call = { index: this.calls++, kind };
    const seconds = this.#script.delay?.(call) ?? 0;
    const fault = this.#script.fault?.(call);
    if (seconds > 0) await (this.#script.sleep ?? realSleep)(seconds, signal);
    if (fault?.kind === "hang") await never(signal);
    if (fault?.kind === "throw") {
      throw fault.error ?? new StepwrightError("decode-failed", `scripted fault at call ${call.index}`);
    }
    const given = await answer(seconds);
    return fault?.kind === "wrong" ? { ...given, ...fault.change } : given;
  }
}

function realSleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", cut, { once: true });
    function done() {
      signal?.removeEventListener("abort", cut);
      resolve();
    }
    function cut() {
      clearTimeout(timer);
      reject(signal!.reason);
    }
  });
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
