/** A tree of drafts that were chosen without chance: equal ones under one parent are one node. */
import { DraftTree, pointProposal, root } from "../../core/draft-tree.js";
import type { Token } from "../../core/step.js";

export class PointTree {
  readonly tree: DraftTree;
  readonly #nodes: number;
  readonly #depth: number;

  /** Adds to `tree`, if one is given, up to so many nodes and so deep. */
  constructor(limits: { readonly nodes: number; readonly depth: number }, tree = new DraftTree()) {
    this.tree = tree;
    this.#nodes = limits.nodes;
    this.#depth = limits.depth;
  }

  /** The child with this token, added where there is none; null where the limits forbid it. */
  add(parent: number, token: Token, origin: string): number | null {
    const same = this.tree.children(parent).find((child) => this.tree.nodes[child]!.token === token);
    if (same !== undefined) return same;
    if (this.tree.size >= this.#nodes || this.tree.depthOf(parent) >= this.#depth) return null;
    return this.tree.add({ token, parent, proposal: pointProposal, origin });
  }

  /** A continuation of the text, as far as the limits allow. */
  addPath(tokens: readonly Token[], origin: string): void {
    let parent = root;
    for (const token of tokens) {
      const node = this.add(parent, token, origin);
      if (node === null) return;
      parent = node;
    }
  }
}
