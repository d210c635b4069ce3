/** Long arithmetic as generators that yield now and then: run at once, or in turns with everything else. */

export type Slices<Result> = Generator<void, Result>;

/** To the end, without a pause. */
export function atOnce<Result>(slices: Slices<Result>): Result {
  for (;;) {
    const slice = slices.next();
    if (slice.done) return slice.value;
  }
}

/** One slice per turn of the event loop. Throws the signal's reason once it fires. */
export async function inTurns<Result>(slices: Slices<Result>, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    signal?.throwIfAborted();
    const slice = slices.next();
    if (slice.done) return slice.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
