/** Texts in bounded memory: the newest ones, in two automata of which the older is forgotten when the newer is full. */
import { root } from "../../core/draft-tree.js";
import type { Token } from "../../core/step.js";
import type { PointTree } from "./point-tree.js";
import { SuffixAutomaton, type SuffixMatch } from "./suffix-automaton.js";

export interface StoreMatch extends SuffixMatch {
  readonly automaton: SuffixAutomaton;
}

export interface Growth {
  readonly depth: number;
  /** Continuations that are estimated to come less often than this are left out. */
  readonly floor: number;
  readonly origin: string;
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

/** Adds what followed the match, the most frequent first. Estimates are products of shares, as in SuffixDecoding. */
export function growContinuations({ automaton, state }: StoreMatch, drafts: PointTree, growth: Growth): void {
  const open = continuationsAt(automaton, { node: root, state, chance: 1, depth: 0 }, growth);
  while (open.length > 0) {
    const best = open.reduce((a, b) => (b.chance > a.chance ? b : a));
    open.splice(open.indexOf(best), 1);
    const node = drafts.add(best.parent, best.token, growth.origin);
    if (node !== null) open.push(...continuationsAt(automaton, { ...best, node }, growth));
  }
}

interface At {
  readonly node: number;
  readonly state: number;
  readonly chance: number;
  readonly depth: number;
}

function continuationsAt(automaton: SuffixAutomaton, { node, state, chance, depth }: At, growth: Growth) {
  if (depth >= growth.depth) return [];
  const next = automaton.continuations(state).sort((a, b) => b.count - a.count || a.token - b.token);
  const total = next.reduce((sum, { count }) => sum + count, 0);
  return next
    .map(({ token, state, count }) => ({
      parent: node,
      token,
      state,
      chance: (chance * count) / total,
      depth: depth + 1,
    }))
    .filter((continuation) => continuation.chance >= growth.floor);
}
