/** Holds scripted models after so many steps, until it is opened: tests look at a run that stands still. */
import type { Script } from "../../src/models/scripted-faults.js";

export class Gate {
  #left = Number.POSITIVE_INFINITY;
  readonly #waiting = new Set<() => void>();

  /** For a scripted model: every step it writes passes the gate. */
  readonly script: Script = {
    delay: ({ kind }) => (kind === "extend" ? 1 : 0),
    sleep: (_, signal) => this.#pass(signal),
  };

  /** Lets so many more steps through. */
  after(steps: number): void {
    this.#left = steps;
  }

  open(): void {
    this.#left = Number.POSITIVE_INFINITY;
    for (const pass of this.#waiting) pass();
  }

  #pass(signal?: AbortSignal): Promise<void> {
    if (this.#left-- > 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const pass = () => {
        this.#waiting.delete(pass);
        resolve();
      };
      this.#waiting.add(pass);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}
