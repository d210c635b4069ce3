/** One request and its answers: who reads it, and when it ends because nobody does. */
import type { LeaveReason, RunHandle, RunOrder } from "../types.js";
import type { LiveRun } from "./live-run.js";

export interface ServedRequestOptions {
  readonly id: string;
  readonly order: RunOrder;
  readonly choices: readonly LiveRun[];
  readonly graceSeconds: number;
  /** Ends one answer, waiting or working; `status` is what it then is. */
  readonly cancel: (run: LiveRun, reason: string, status?: "cancelled") => void;
}

export class ServedRequest {
  readonly id: string;
  readonly order: RunOrder;
  readonly created = Math.floor(Date.now() / 1000);
  readonly choices: readonly LiveRun[];
  readonly #options: ServedRequestOptions;
  #readers = 0;
  #isKept: boolean;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: ServedRequestOptions) {
    this.#options = options;
    const { id, order, choices } = options;
    this.id = id;
    this.order = order;
    this.choices = choices;
    this.#isKept = order.keep ?? false;
    if (order.deadlineSeconds !== undefined) {
      this.#later(order.deadlineSeconds, () => {
        for (const run of choices) options.cancel(run, "the request's time is over");
      });
    }
    void Promise.allSettled(choices.map(({ result }) => result)).then(() => {
      for (const timer of this.#timers) clearTimeout(timer);
    });
  }

  get isOver(): boolean {
    return this.choices.every((choice) => choice.isOver);
  }

  /** A reader of its own: it says when it goes, or its client's signal does. */
  join(signal: AbortSignal | undefined, joined: boolean): RunHandle {
    const { id, created, choices } = this;
    this.#readers++;
    let isHere = true;
    const leave = (reason: LeaveReason) => {
      if (!isHere) return;
      isHere = false;
      signal?.removeEventListener("abort", closed);
      this.#left(reason);
    };
    const closed = () => leave("closed");
    if (signal?.aborted) closed();
    else signal?.addEventListener("abort", closed, { once: true });
    return { id, created, joined, choices, leave, cancel: (reason) => this.cancel(reason) };
  }

  cancel(reason: string): void {
    for (const run of this.choices) this.#options.cancel(run, reason, "cancelled");
  }

  #left(reason: LeaveReason): void {
    this.#readers--;
    if (reason === "stalled") this.#isKept = true;
    if (this.#readers > 0 || this.#isKept || this.isOver) return;
    const end = () => {
      if (this.#readers === 0 && !this.#isKept) this.cancel("the client left");
    };
    // A client that retries comes with the same idempotency key.
    if (this.order.idempotency) this.#later(this.#options.graceSeconds, end);
    else end();
  }

  #later(seconds: number, then: () => void): void {
    const timer = setTimeout(then, seconds * 1000);
    timer.unref();
    this.#timers.push(timer);
  }
}
