/** A clock whose time passes only while somebody sleeps on it, and then at once. */
import type { Clock } from "../core/clock.js";

interface Timer {
  readonly at: number;
  readonly wakes: boolean;
  readonly fire: () => void;
}

export class VirtualClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];
  #pumping = false;

  now(): number {
    return this.#now;
  }

  /** Fires when time gets there; does not make time pass. */
  after(seconds: number, callback: () => void): () => void {
    return this.#add(seconds, false, callback);
  }

  /** Passes time: resolves when the clock is that much later. */
  readonly sleep = (seconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const cancel = this.#add(seconds, true, () => {
        signal?.removeEventListener("abort", cut);
        resolve();
      });
      const cut = () => {
        cancel();
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", cut, { once: true });
    });

  #add(seconds: number, wakes: boolean, fire: () => void): () => void {
    const timer = { at: this.#now + seconds, wakes, fire };
    this.#timers.push(timer);
    if (wakes) this.#pump();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets everything that can run now run, then moves on to the next time that somebody sleeps until. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() =>
      setImmediate(() => {
        this.#pumping = false;
        const wake = Math.min(...this.#timers.filter((timer) => timer.wakes).map((timer) => timer.at));
        if (!Number.isFinite(wake)) return;
        const due = this.#timers.filter((timer) => timer.at <= wake).sort((a, b) => a.at - b.at)[0]!;
        this.#timers = this.#timers.filter((timer) => timer !== due);
        this.#now = Math.max(this.#now, due.at);
        due.fire();
        if (this.#timers.some((timer) => timer.wakes)) this.#pump();
      }),
    );
  }
}
