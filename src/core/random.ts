/**
 * Random numbers keyed by what they are for, never by when they are drawn, so a run's draws do not depend on
 * its batch neighbours, on concurrency, or on where it was resumed.
 */

/** FNV-1a, 32 bits, over UTF-16 code units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

/** Full-avalanche 32-bit mixer (constants: murmur3's finaliser). */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** 32 random bits that depend on every part of the key: seed, branch, position, purpose. */
export function keyedBits(seed: number, branch: string, position: number, purpose: string): number {
  // Two words of the seed, so that 53-bit seeds differ in full.
  let state = mix(seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) + 0x9e3779b9);
  state = mix(state ^ hash(branch));
  state = mix(state + Math.imul(position + 1, 0x9e3779b9));
  return mix(state ^ hash(purpose));
}

/** Uniform in [0, 1) with 53 bits. */
export function keyedUniform(seed: number, branch: string, position: number, purpose: string): number {
  const high = keyedBits(seed, branch, position, purpose) >>> 5;
  const low = keyedBits(seed, branch, position, `${purpose}~`) >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}
