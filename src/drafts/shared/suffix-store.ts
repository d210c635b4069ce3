/** Texts in bounded memory: the newest ones, in two automata of which the older is forgotten when the newer is full. */
import type { Token } from "../../core/step.js";
import { SuffixAutomaton, type SuffixMatch } from "./suffix-automaton.js";

export interface StoreMatch extends SuffixMatch {
  readonly automaton: SuffixAutomaton;
}

export class SuffixStore {
  readonly #capacity: number;
  #newer = new SuffixAutomaton();
  #older = new SuffixAutomaton();

  /** For so many tokens. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  add(tokens: readonly Token[]): void {
    const half = Math.floor(this.#capacity / 2);
    if (half < 1) return;
    for (let from = 0; from < tokens.length; ) {
      if (this.#newer.size >= half) [this.#older, this.#newer] = [this.#newer, new SuffixAutomaton()];
      const to = Math.min(tokens.length, from + half - this.#newer.size);
      this.#newer.add(tokens.slice(from, to));
      from = to;
    }
  }

  /** The longest end of the text that stands in the store, at most so many tokens of it. */
  match(tokens: readonly Token[], longest: number): StoreMatch {
    const end = tokens.slice(-longest);
    const [newer, older] = [this.#newer, this.#older].map((automaton) => ({
      automaton,
      ...automaton.match(end),
    }));
    return older!.length > newer!.length ? older! : newer!;
  }
}
