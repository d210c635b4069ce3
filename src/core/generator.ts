/** Random numbers for statistics that need millions of draws; seeded, so that the same results give the same figures. */
import { keyedBits } from "./random.js";

/** Uniform in [0, 1): a counter through a mixer (constants: splitmix32). */
export function generator(purpose: string, seed = 0): () => number {
  let state = keyedBits(seed, purpose, 0, "state");
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let value = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
    return ((value ^ (value >>> 15)) >>> 0) / 2 ** 32;
  };
}
