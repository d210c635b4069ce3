/** Several sources as one, each item as soon as it is there. */
export async function* merged<Item>(
  sources: readonly AsyncIterable<Item>[],
): AsyncGenerator<Item, void, void> {
  if (sources.length === 1) return yield* sources[0]!;
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  const next = (index: number) => iterators[index]!.next().then((result) => ({ index, result }));
  const waiting = new Map(iterators.map((_, index) => [index, next(index)]));
  try {
    while (waiting.size > 0) {
      const { index, result } = await Promise.race(waiting.values());
      if (result.done) waiting.delete(index);
      else {
        waiting.set(index, next(index));
        yield result.value;
      }
    }
  } finally {
    // A source that is waiting for its next item ends when that comes; nobody waits for it here.
    for (const iterator of iterators) void iterator.return?.();
    for (const promise of waiting.values()) promise.catch(() => {});
  }
}
