/** Which nodes of a search tree stay when some are given up. */
import type { Node, Search } from "./search.js";

/** Prunes those of `nodes` that are neither in `kept` nor above one of it, with every ancestor that only led to them. */
export function keepOnly(search: Search, nodes: readonly Node[], kept: readonly Node[]): void {
  const needed = new Set<Node>();
  for (const node of kept) for (let at: Node | null = node; at; at = at.parent) needed.add(at);
  const tops = new Set<Node>();
  for (const node of nodes) {
    if (needed.has(node)) continue;
    let top = node;
    while (top.parent?.step && !needed.has(top.parent)) top = top.parent;
    tops.add(top);
  }
  for (const top of tops) search.prune(top);
}

/** The deepest node that all of these go through. */
export function commonAncestor(nodes: readonly Node[]): Node {
  return nodes.reduce((one, other) => {
    let [a, b] = [one, other];
    while (a !== b) {
      if (a.depth >= b.depth) a = a.parent!;
      else b = b.parent!;
    }
    return a;
  });
}

/**
 * Offers one of these as what there is so far: the whole answer of greatest merit (in [0, 1]), else the deepest
 * prefix, of equals the one of greatest merit.
 */
export function offerBest(
  search: Search,
  candidates: readonly { readonly node: Node; readonly merit: number }[],
): void {
  let best: Node | undefined;
  let [value, merit] = [-1, -1];
  for (const candidate of candidates) {
    const { node } = candidate;
    const worth = node.finish === "stop" ? 1 + candidate.merit : 1 - 1 / (node.depth + 1);
    if (worth > value || (worth === value && candidate.merit > merit)) {
      [best, value, merit] = [node, worth, candidate.merit];
    }
  }
  if (best?.step) search.offer(best, value);
}
