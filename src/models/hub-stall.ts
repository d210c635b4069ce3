/** Ends a connection over which nothing comes any more. */
export class Stall {
  readonly #controller = new AbortController();
  readonly #milliseconds: number;
  readonly signal: AbortSignal;
  #timer: NodeJS.Timeout;

  constructor(seconds: number, caller: AbortSignal | undefined) {
    this.#milliseconds = seconds * 1000;
    this.signal = caller ? AbortSignal.any([caller, this.#controller.signal]) : this.#controller.signal;
    this.#timer = this.#start();
  }

  renew(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(): NodeJS.Timeout {
    return setTimeout(() => this.#controller.abort(new Error("no data")), this.#milliseconds).unref();
  }
}
