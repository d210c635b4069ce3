/** What every paid call of a run goes through: recorded answer, stop, budget, order of delivery, payment. */
import { setMaxListeners } from "node:events";
import type { Clock } from "./clock.js";
import type { Spender } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import type { Claim } from "./ledger.js";
import type { Recorder } from "./recorder.js";
import { cutOf, type TraceEvent } from "./trace-event.js";
import { Turnstile } from "./turnstile.js";

/** Why no further call may start. */
export type Halt = "budget" | "abort";

export interface CallRequest<Result> {
  /** The greatest cost; null when it cannot be told before the calls ahead are through. */
  readonly claim: () => Claim | null;
  /** The answer of an earlier part of the run. */
  readonly recorded: () => Result | undefined;
  readonly work: (call: Call) => Promise<Result>;
  /** Runs in turn, before the result is handed out. */
  readonly deliver: (result: Result) => void;
}

/** One call in flight. */
export class Call implements Spender {
  readonly signal: AbortSignal;
  readonly #calls: Calls;
  readonly events: TraceEvent[] = [];
  /** FLOPs of `events`, which are not in the ledger before delivery. */
  pending = 0;
  /** Gives back what was set aside, or lets the next call have its turn. */
  settle: () => void = () => {};
  /** FLOPs set aside for it, where it runs beside others. */
  claimed = 0;
  /** True when every earlier call is paid for: the ledger then says to the token what is left. */
  exact = false;

  constructor(calls: Calls) {
    this.#calls = calls;
    this.signal = calls.signal;
  }

  spend(flops: number): void {
    if (this.exact && flops + this.pending > this.#calls.ledger.flopsLeft()) throw this.exhausted();
  }

  /** FLOPs that it may still spend; undefined where they are not limited. */
  flopsLeft(): number | undefined {
    const { limits } = this.#calls.ledger;
    if (limits.flops === undefined) return undefined;
    return (this.exact ? this.#calls.ledger.flopsLeft() : this.claimed) - this.pending;
  }

  /** Ends the run for want of budget; the error to throw. */
  exhausted(): StepwrightError {
    return this.#calls.halt("budget");
  }

  note(event: TraceEvent): void {
    this.events.push(event);
    if ("usage" in event) this.pending += event.usage.flops;
    if ("speculation" in event) this.pending += event.speculation?.draft?.flops ?? 0;
  }
}

export class Calls {
  readonly #recorder: Recorder;
  readonly #clock: Clock;
  readonly #turnstile = new Turnstile();
  readonly #controller = new AbortController();
  readonly #forget: (() => void)[] = [];
  #halted: { readonly finish: Halt; readonly error: StepwrightError } | undefined;
  /** Resolves when the call ahead has set its greatest cost aside, or has been paid for. */
  #ahead: Promise<void> = Promise.resolve();

  constructor(recorder: Recorder, clock: Clock, signal: AbortSignal | undefined) {
    this.#recorder = recorder;
    this.#clock = clock;
    // A wide batch listens many times over; that is no leak.
    setMaxListeners(0, this.#controller.signal);
    if (signal) {
      const abort = () => this.halt("abort", signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      this.#forget.push(() => signal.removeEventListener("abort", abort));
      if (signal.aborted) abort();
    }
    const { seconds } = recorder.ledger.limits;
    if (seconds !== undefined && !recorder.replaying) {
      const left = Math.max(0, seconds - recorder.elapsed());
      this.#forget.push(clock.after(left, () => this.halt("budget")));
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get ledger() {
    return this.#recorder.ledger;
  }

  get halted(): Halt | undefined {
    return this.#halted?.finish;
  }

  /** No call starts from now on, those in flight are cut off. Returns the error that they end with. */
  halt(finish: Halt, cause?: unknown): StepwrightError {
    this.#halted ??= {
      finish,
      error:
        finish === "budget"
          ? new StepwrightError("budget-exhausted", "the budget is spent", {
              remedy: "allow more, or use what there is so far",
            })
          : new StepwrightError("aborted", "the run was aborted", { cause }),
    };
    this.#controller.abort(this.#halted.error);
    return this.#halted.error;
  }

  make<Result>(request: CallRequest<Result>): Promise<Result> {
    const call = new Call(this);
    return this.#turnstile.admit(
      async (turn) => {
        const recorded = request.recorded();
        if (recorded !== undefined) return recorded;
        this.#check();
        await this.#afford(call, request, turn);
        await this.#recorder.ready();
        this.#check();
        try {
          return await request.work(call);
        } catch (error) {
          throw this.#halted?.error ?? error;
        }
      },
      (result) => {
        call.settle();
        // What was read is paid for even when the call then failed.
        for (const event of call.events) this.#recorder.emit(event);
        if (result !== undefined) request.deliver(result);
      },
    );
  }

  /** Cuts off what is in flight and waits until it is gone, but no longer than this. */
  async close(seconds: number): Promise<void> {
    this.#halted ??= { finish: "abort", error: new StepwrightError("aborted", "the run is over") };
    this.#controller.abort(this.#halted.error);
    for (const forget of this.#forget) forget();
    let cancel = () => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.after(seconds, resolve);
    });
    await Promise.race([this.#turnstile.idle(), patience]);
    cancel();
  }

  /**
   * Calls whose greatest costs fit together go side by side. One that might not fit waits until all before it are
   * paid for and then works with exact figures; those behind it wait too, so that nobody spends what it was promised.
   */
  async #afford(
    call: Call,
    request: Pick<CallRequest<unknown>, "claim">,
    turn: Promise<void>,
  ): Promise<void> {
    const ahead = this.#ahead;
    let letNext = () => {};
    this.#ahead = new Promise((resolve) => {
      letNext = resolve;
    });
    call.settle = letNext;
    await ahead;
    const claim = request.claim();
    const release = claim ? this.ledger.claim(claim) : undefined;
    if (claim && release) {
      call.claimed = claim.flops;
      letNext();
      call.settle = release;
      return;
    }
    await turn;
    call.exact = true;
  }

  #check(): void {
    if (this.#halted) throw this.#halted.error;
    if (this.#recorder.whatIf) throw notRecorded();
    if (this.#recorder.replaying) {
      const last = this.#recorder.recording?.events.at(-1);
      const cut = cutOf(last);
      if (last?.type === "run-failed") throw StepwrightError.fromJSON(last.error);
      if (cut) throw this.halt(cut);
      throw new StepwrightError("trace-invalid", "the trace ends before its run does", {
        remedy: "resume the run to finish it",
      });
    }
    const { seconds } = this.ledger.limits;
    if (seconds !== undefined && this.#recorder.elapsed() >= seconds) throw this.halt("budget");
  }
}

function notRecorded(): StepwrightError {
  return new StepwrightError("not-recorded", "the recording holds no answer to this call", {
    remedy: "run the method anew with these options",
  });
}
