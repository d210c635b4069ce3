/**
 * Calls run side by side, but their results are delivered in the order in which they were asked for, one per
 * turn of the event loop. So what a method does next, and with it the whole trace, never depends on which call
 * happened to be faster.
 */
export class Turnstile {
  #last: Promise<void> = Promise.resolve();

  /**
   * Starts `work` at once; it may wait for `turn`, when every earlier call has been delivered. `deliver` runs in
   * turn, just before the result (or error) is handed out.
   */
  admit<Result>(
    work: (turn: Promise<void>) => Promise<Result>,
    deliver: (result: Result | undefined) => void,
  ): Promise<Result> {
    const turn = this.#last;
    const working = work(turn);
    working.catch(() => {});
    const delivered = turn.then(async () => {
      let result: Result | undefined;
      try {
        result = await working;
      } finally {
        deliver(result);
      }
      return result;
    });
    this.#last = delivered.then(nextTurn, nextTurn);
    return delivered;
  }

  /** Resolves when every call made so far has been delivered. */
  idle(): Promise<void> {
    return this.#last;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
