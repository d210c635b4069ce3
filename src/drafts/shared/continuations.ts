/** Grows what followed in the texts of an automaton, the likeliest first. Oliaro et al., arXiv 2411.04975. */
import { root } from "../../core/draft-tree.js";
import type { Token } from "../../core/step.js";
import type { PointTree } from "./point-tree.js";
import type { SuffixAutomaton } from "./suffix-automaton.js";

export interface Growth {
  readonly depth: number;
  /** Continuations of lower estimate are left out. */
  readonly floor: number;
  readonly origin: string;
  /** How likely a token is after a node, given its share among what followed there; default the share itself. */
  readonly estimate?: (parent: number, token: Token, share: number) => number;
}

/** Estimates of a path are products of those of its tokens. */
export function growContinuations(
  automaton: SuffixAutomaton,
  state: number,
  drafts: PointTree,
  growth: Growth,
): void {
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
  const { floor, estimate = (_parent, _token, share) => share } = growth;
  const next = automaton.continuations(state).sort((a, b) => b.count - a.count || a.token - b.token);
  const total = next.reduce((sum, { count }) => sum + count, 0);
  return next
    .map(({ token, state, count }) => ({
      parent: node,
      token,
      state,
      chance: chance * estimate(node, token, count / total),
      depth: depth + 1,
    }))
    .filter((continuation) => continuation.chance > 0 && continuation.chance >= floor);
}
