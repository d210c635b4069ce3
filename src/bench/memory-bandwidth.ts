/** How fast one thread reads from memory. */

const bytes = 128 * 2 ** 20;

/**
 * Bytes per second, the best of `rounds`: two equal buffers, larger than any cache, are compared, which reads each
 * once and writes nothing. Blocks for about a tenth of a second.
 */
export function memoryBandwidth(rounds = 5): number {
  const [one, other] = [Buffer.alloc(bytes, 7), Buffer.alloc(bytes, 7)];
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    one.compare(other);
    best = Math.max(best, (2 * bytes * 1000) / (performance.now() - started));
  }
  return best;
}
