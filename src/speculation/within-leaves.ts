/** Cuts a tree down to as many paths as the target can hold at once. */
import { DraftTree, root } from "../core/draft-tree.js";

/**
 * Keeps the first draws at each place, places in their order. What goes is decided by how many draws there are, a token
 * that was drawn twice counting twice, and never by what they are: that would bias the law.
 */
export function withinLeaves(tree: DraftTree, leaves: number): DraftTree {
  const places = [root, ...tree.nodes.keys()];
  const further = (count: number) => Math.max(0, count - 1);
  if (places.reduce((sum, place) => sum + further(tree.children(place).length), 1) <= leaves) return tree;
  const kept = new DraftTree();
  const moved = new Map([[root, root]]);
  let room = leaves - 1;
  for (const place of places) {
    const parent = moved.get(place);
    if (parent === undefined) continue;
    const draws = tree.children(place).slice(0, 1 + room);
    room -= further(draws.length);
    for (const draw of draws) {
      const known = moved.get(draw);
      if (known === undefined) moved.set(draw, kept.add({ ...tree.nodes[draw]!, parent }));
      else kept.repeat(known);
    }
  }
  return kept;
}
