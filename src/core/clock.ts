/** Time as a run sees it; tests put a virtual one in its place. */
export interface Clock {
  /** Seconds since some fixed moment. */
  now(): number;
  /** Calls back once, after so many seconds; returns how to cancel. Never keeps the process alive. */
  after(seconds: number, callback: () => void): () => void;
}

/** setTimeout counts milliseconds in 32 bits and fires at once beyond that. */
const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  after(seconds, callback) {
    const milliseconds = seconds * 1000;
    if (milliseconds > longestTimer) return () => {};
    const timer = setTimeout(callback, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
