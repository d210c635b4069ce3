/** So many at a time; further ones wait, first come first served, and may give up waiting. */

export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  async take(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const admitted = () => {
        signal?.removeEventListener("abort", gaveUp);
        resolve();
      };
      const gaveUp = () => {
        this.#waiting.delete(admitted);
        reject(signal!.reason);
      };
      this.#waiting.add(admitted);
      signal?.addEventListener("abort", gaveUp, { once: true });
    });
  }

  give(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
