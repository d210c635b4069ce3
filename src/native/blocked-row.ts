/**
 * A vocabulary-long row of probabilities with the sums of its blocks, which native code computed: finding its
 * largest entry or drawing from it then looks at one block, or a few, and not at the whole row.
 */

/** Entries in one block. */
export const blockLength = 128;

/** Block sums are rounded to single precision; comparisons with them allow for it. */
const slack = 1 + 1e-4;

export class BlockedRow {
  readonly probabilities: Float32Array;
  readonly #sums: Float64Array;

  /** `sums` holds the sum of each whole block; the tail that fills no block is summed here. */
  constructor(probabilities: Float32Array, sums: Float32Array) {
    this.probabilities = probabilities;
    this.#sums = new Float64Array(Math.ceil(probabilities.length / blockLength));
    this.update(sums);
  }

  /** Takes the block sums of a row that was computed anew in the same memory. */
  update(sums: Float32Array): void {
    this.#sums.set(sums);
    if (sums.length < this.#sums.length) this.#sums[sums.length] = this.#blockSum(sums.length);
  }

  /** Sum over the row: 1 up to rounding, NaN where the row holds one. */
  get total(): number {
    let total = 0;
    for (const sum of this.#sums) total += sum;
    return total;
  }

  /**
   * The index with the greatest logit, the lowest one among equals. `logits` decides between entries whose
   * probabilities are rounded to the same value.
   */
  largest(logits: Float32Array): number {
    let block = 0;
    for (let index = 1; index < this.#sums.length; index++) {
      if (this.#sums[index]! > this.#sums[block]!) block = index;
    }
    let best = this.#largestInBlock(block, logits, -1);
    for (let index = 0; index < this.#sums.length; index++) {
      // A block whose whole sum is smaller cannot hold a larger entry.
      if (index === block || this.#sums[index]! * slack < this.probabilities[best]!) continue;
      best = this.#largestInBlock(index, logits, best);
    }
    return best;
  }

  /** The index that holds the point `uniform` (in [0, 1)) of the row's cumulative law. Never one of probability 0. */
  pick(uniform: number): number {
    let rest = uniform * this.total;
    let block = 0;
    let last = 0;
    for (; block < this.#sums.length; block++) {
      if (this.#sums[block]! > 0) last = block;
      if (rest < this.#sums[block]!) break;
      rest -= this.#sums[block]!;
    }
    if (block === this.#sums.length) {
      block = last;
      rest = this.#sums[block]!;
    }
    // The block's sum was rounded: the point keeps its relative place in the exact one.
    rest *= this.#blockSum(block) / this.#sums[block]!;
    let picked = -1;
    for (let index = block * blockLength; index < this.#blockEnd(block); index++) {
      const probability = this.probabilities[index]!;
      if (!(probability > 0)) continue;
      picked = index;
      if (rest < probability) break;
      rest -= probability;
    }
    return picked;
  }

  /** Gives these entries probability 0, in the row's own memory. */
  remove(indices: readonly number[]): void {
    for (const index of indices) this.probabilities[index] = 0;
    // Summed anew: a difference of rounded sums could be below 0, or above it where nothing is left.
    for (const block of new Set(indices.map((index) => Math.floor(index / blockLength)))) {
      this.#sums[block] = this.#blockSum(block);
    }
  }

  #blockEnd(block: number): number {
    return Math.min((block + 1) * blockLength, this.probabilities.length);
  }

  #blockSum(block: number): number {
    let sum = 0;
    for (let index = block * blockLength; index < this.#blockEnd(block); index++)
      sum += this.probabilities[index]!;
    return sum;
  }

  #largestInBlock(block: number, logits: Float32Array, best: number): number {
    let found = best;
    for (let index = block * blockLength; index < this.#blockEnd(block); index++) {
      const logit = logits[index]!;
      if (found < 0 || logit > logits[found]! || (logit === logits[found]! && index < found)) found = index;
    }
    return found;
  }
}
