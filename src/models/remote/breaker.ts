/** Stops calling a server that fails: after some failures in a row of time, one probe now and then, until one succeeds. */
import { unavailable } from "./failure.js";
import type { RemoteSettings } from "./settings.js";

export class Breaker {
  readonly #origin: string;
  readonly #settings: RemoteSettings;
  /** Times of the failures since the last success, in seconds. */
  #failures: number[] = [];
  #openUntil: number | null = null;
  #probing = false;

  constructor(origin: string, settings: RemoteSettings) {
    this.#origin = origin;
    this.#settings = settings;
  }

  get isOpen(): boolean {
    return this.#openUntil !== null;
  }

  /** Throws `remote-unavailable` while the breaker is open; else the call may be made, and must be reported. */
  admit(): void {
    if (this.#openUntil === null) return;
    const wait = this.#openUntil - seconds();
    if (wait > 0 || this.#probing) {
      const when = wait > 0 ? `in ${Math.ceil(wait)} s` : "by another call now";
      throw unavailable(
        this.#origin,
        `failed ${this.#settings.breakerFailures} times: it is tried again ${when}`,
      );
    }
    this.#probing = true;
  }

  succeeded(): void {
    this.#failures = [];
    this.#openUntil = null;
    this.#probing = false;
  }

  /** A call that was neither answered nor failed: its caller gave up. */
  abandoned(): void {
    this.#probing = false;
  }

  failed(): void {
    const now = seconds();
    const { breakerFailures, breakerSeconds, coolSeconds } = this.#settings;
    this.#failures = [...this.#failures.filter((time) => now - time < breakerSeconds), now];
    if (this.#probing || this.#failures.length >= breakerFailures) this.#openUntil = now + coolSeconds;
    this.#probing = false;
  }
}

function seconds(): number {
  return performance.now() / 1000;
}
