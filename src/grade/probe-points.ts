/** Where expressions are probed: points that depend on nothing but a symbol's name and the number of the probe. */
import { type Complex, real } from "./complex.js";

/** FNV-1a over the text's code units. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  return hash;
}

/** Numbers in [0, 1) by xorshift. */
export function sequence(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  // The first numbers of neighbouring seeds are alike.
  for (let skip = 0; skip < 8; skip++) next();
  return next;
}

/** Generic complex values: identities that hold there hold everywhere an analytic function goes. */
export function complexPoint(name: string, probe: number): Complex {
  const next = sequence(seedOf(`${probe}:${name}`));
  return { re: 0.3 + 1.7 * next(), im: (next() < 0.5 ? -1 : 1) * (0.2 + next()) };
}

/** Positive reals, for answers whose letters stand for lengths, counts and the like. */
export function positivePoint(name: string, probe: number): Complex {
  return real(0.3 + 2.7 * sequence(seedOf(`${probe}+${name}`))());
}
