/** Work on many things at once, but not on all. */
import { throwIfAborted } from "./errors.js";

/** Does `work` for all of `items`, at most `count` at once; the first failure stops the rest. */
export async function inFlight<Item>(
  items: readonly Item[],
  count: number,
  signal: AbortSignal | undefined,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  let failed = false;
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      if (failed || signal?.aborted) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: count }, worker));
  throwIfAborted(signal);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}
