/** How many beams the next depth deserves, from how often drafts were accepted so far. Card dsbd, 3a. */
import { root } from "../../core/draft-tree.js";
import type { Verified } from "../../core/speculation.js";

/** Older blocks count less: so much less with each block. */
const decay = 0.95;

export class BeamWidth {
  readonly #narrowest: number;
  readonly #confidence: number;
  /** Drafts tested and accepted, beginning as if one of two had been. */
  #tested = 2;
  #accepted = 1;

  /** With a confidence of 0 the width stays as it is. */
  constructor(narrowest: number, confidence: number) {
    this.#narrowest = narrowest;
    this.#confidence = confidence;
  }

  /** The most beams of which so many are accepted with the confidence, out of `width` tries. */
  next(width: number): number {
    if (this.#confidence === 0) return width;
    const chance = this.#accepted / this.#tested;
    let beams = width;
    while (beams > 0 && atLeast(beams, width, chance) < this.#confidence) beams--;
    return Math.min(width, Math.max(beams, this.#narrowest));
  }

  learn({ tree, path }: Verified): void {
    this.#tested *= decay;
    this.#accepted *= decay;
    for (const [depth, parent] of [root, ...path].entries()) {
      const children = tree.children(parent);
      const kept = path[depth];
      if (kept !== undefined) this.#accepted++;
      this.#tested += kept === undefined ? children.length : children.indexOf(kept) + 1;
    }
  }

  copy(): BeamWidth {
    const copy = new BeamWidth(this.#narrowest, this.#confidence);
    copy.#tested = this.#tested;
    copy.#accepted = this.#accepted;
    return copy;
  }
}

/** The probability that at least `least` of so many independent tries succeed. */
export function atLeast(least: number, tries: number, chance: number): number {
  // laws[k]: the probability of k successes so far.
  let law = [1];
  for (let attempt = 0; attempt < tries; attempt++) {
    law = [...law, 0].map((p, successes) => p * (1 - chance) + (law[successes - 1] ?? 0) * chance);
  }
  return law.slice(least).reduce((sum, p) => sum + p, 0);
}
