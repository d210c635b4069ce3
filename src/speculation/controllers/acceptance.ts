/**
 * How often drafts are accepted at each depth, given that the ones before were: an exponential mean per level.
 * A level is refused where drafts stood and none was taken; a block that the step's end cut says nothing of it.
 */
import { root } from "../../core/draft-tree.js";
import type { Verified } from "../../core/speculation.js";

export interface AcceptanceOptions {
  /** Believed before anything was seen. */
  readonly start: number;
  /** Weight of a new block, once there were some. */
  readonly weight: number;
}

export class Acceptance {
  readonly #levels: number[] = [];
  readonly #counts: number[] = [];
  readonly #options: AcceptanceOptions;

  constructor(options: AcceptanceOptions) {
    this.#options = options;
  }

  learn({ tree, path, written }: Verified): void {
    for (const level of path.keys()) this.#observe(level, 1);
    const end = path.at(-1) ?? root;
    const isRefused = written.length > path.length && tree.children(end).length > 0;
    if (isRefused) this.#observe(path.length, 0);
  }

  /** Of the level, from 0. A level that was not reached yet is believed to be as the last one that was. */
  at(level: number): number {
    return this.#levels[Math.min(level, this.#levels.length - 1)] ?? this.#options.start;
  }

  /** Tokens that a block with so deep a draft is expected to write: 1 + sum of products. Leviathan et al., eq. 1, by level. */
  tokens(depth: number): number {
    let [sum, reached] = [1, 1];
    for (let level = 0; level < depth; level++) {
      reached *= this.at(level);
      sum += reached;
    }
    return sum;
  }

  /** What is not watched is forgotten slowly: back towards the start. */
  fade(weight: number): void {
    for (const [level, value] of this.#levels.entries()) {
      this.#levels[level] = value + weight * (this.#options.start - value);
    }
  }

  #observe(level: number, accepted: number): void {
    const before = this.at(level);
    const count = this.#counts[level] ?? 0;
    this.#counts[level] = count + 1;
    // What is believed before anything was seen counts as one block.
    const weight = Math.max(this.#options.weight, 1 / (count + 2));
    this.#levels[level] = before + weight * (accepted - before);
  }
}
