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
