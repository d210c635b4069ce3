/** One tree of several: equal branches become one. Card rasd, 5; the sequential rules test mixed siblings in order. */
import { DraftTree, root } from "../../core/draft-tree.js";

/**
 * Drawn drafts are never left out, whatever their token: a second law's draw of a token that stands there already is a
 * try of its own, without anything below it. A draft that is a point is left out where its token stands already.
 */
export function fuse(trees: readonly DraftTree[], nodes: number): DraftTree {
  const fused = new DraftTree();
  // Points yield to draws, so the trees that hold draws come first.
  for (const tree of [...trees.filter(holdsDraws), ...trees.filter((tree) => !holdsDraws(tree))]) {
    addTree(fused, tree, nodes);
  }
  return fused;
}

function addTree(fused: DraftTree, tree: DraftTree, nodes: number): void {
  const placed = new Map<number, number>([[root, root]]);
  const own = new Map<number, number>();
  for (const parent of [root, ...tree.nodes.keys()]) {
    const above = placed.get(parent);
    if (above === undefined) continue;
    for (const child of tree.children(parent)) {
      const node = tree.nodes[child]!;
      const added = own.get(child);
      if (added !== undefined) {
        fused.repeat(added);
        continue;
      }
      const same = fused.children(above).find((other) => fused.nodes[other]!.token === node.token);
      const isPoint = node.proposal.kind === "point";
      if (isPoint && same === undefined && fused.size >= nodes) continue;
      const at = isPoint && same !== undefined ? same : fused.add({ ...node, parent: above });
      own.set(child, at);
      placed.set(child, same ?? at);
    }
  }
}

function holdsDraws(tree: DraftTree): boolean {
  return tree.nodes.some(({ proposal }) => proposal.kind !== "point");
}
