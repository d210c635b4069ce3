/** The random choices behind one generated question, in the order they are made. */
import { keyedUniform } from "../../core/random.js";

export class Draws {
  readonly #index: number;
  readonly #purpose: string;
  #position = 0;

  /** The same purpose and index give the same choices everywhere. */
  constructor(purpose: string, index: number) {
    this.#purpose = purpose;
    this.#index = index;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return keyedUniform(this.#index, "lab", this.#position++, this.#purpose);
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.uniform() * (most - least + 1));
  }

  one<Item>(items: readonly Item[]): Item {
    return items[this.integer(0, items.length - 1)]!;
  }

  /** `count` different items, in random order. */
  several<Item>(items: readonly Item[], count: number): Item[] {
    const rest = [...items];
    return Array.from({ length: count }, () => rest.splice(this.integer(0, rest.length - 1), 1)[0]!);
  }

  /** One item, each as probable as its weight says. */
  weighted<Item>(items: readonly (readonly [item: Item, weight: number])[]): Item {
    let left = this.uniform() * items.reduce((total, [, weight]) => total + weight, 0);
    for (const [item, weight] of items) {
      left -= weight;
      if (left < 0) return item;
    }
    return items.at(-1)![0];
  }
}
