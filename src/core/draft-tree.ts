/**
 * A tree of drafted tokens and the laws they were drawn from. Card speculative-sampling, D; DESIGN section 5.
 * `q` is the law a draft was drawn from, whatever model or table made it: the rules are exact for that law, so a draft
 * model's row may be cut to its head, as long as the draft is drawn from what is left, renormalised.
 */
import type { Candidate } from "./model.js";
import type { SparseLaw } from "./sparse-law.js";
import type { Token } from "./step.js";

export type { SparseLaw } from "./sparse-law.js";

/** How a drafted token came to be chosen, which decides how it may be tested. */
export type Proposal =
  /** Chosen without chance (lookup, recycled, arg-max, top-k): q is a point mass. */
  | { readonly kind: "point" }
  /** Drawn from the law, independently of its siblings. */
  | { readonly kind: "independent"; readonly law: SparseLaw }
  /** Drawn from the law without the siblings before it that name the same law, renormalised. */
  | { readonly kind: "without-replacement"; readonly law: SparseLaw };

export const pointProposal: Proposal = { kind: "point" };

/** The draft model's own row that a token was drafted from, at temperature 1, before any truncation. */
export interface DraftRow {
  /** In nats. */
  readonly entropy: number;
  /** Its most probable tokens, best first. */
  readonly topK: readonly Candidate[];
}

export interface DraftNode {
  readonly token: Token;
  /** Index of the parent node, which comes before it; -1 is the end of the text so far. */
  readonly parent: number;
  readonly proposal: Proposal;
  /** Who drafted it: a drafter's name. */
  readonly origin: string;
  /** Absent where no model drafted it. */
  readonly row?: DraftRow | undefined;
}

/** Where the tree hangs: the end of the text so far. */
export const root = -1;

export class DraftTree {
  readonly #nodes: DraftNode[] = [];
  readonly #children = new Map<number, number[]>();
  readonly #depths: number[] = [];

  /** A chain of tokens, each the only child of the one before it. */
  static chain(nodes: readonly Omit<DraftNode, "parent">[]): DraftTree {
    const tree = new DraftTree();
    for (const [index, node] of nodes.entries()) tree.add({ ...node, parent: index - 1 });
    return tree;
  }

  get nodes(): readonly DraftNode[] {
    return this.#nodes;
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Greatest depth of a node; 0 for an empty tree. */
  get depth(): number {
    return this.#depths.reduce((most, depth) => Math.max(most, depth), 0);
  }

  /** Adds a node behind its earlier siblings; returns its index. */
  add(node: DraftNode): number {
    if (node.parent < root || node.parent >= this.#nodes.length) {
      throw new RangeError(`no node ${node.parent} to hang a draft on`);
    }
    const index = this.#nodes.push(node) - 1;
    this.#depths.push(node.parent === root ? 1 : this.#depths[node.parent]! + 1);
    const siblings = this.#children.get(node.parent);
    if (siblings) siblings.push(index);
    else this.#children.set(node.parent, [index]);
    return index;
  }

  /**
   * Says that a further draw at the same place gave the same token: the node stands once more among the children, last.
   * A draw that is silently dropped because of its token would bias the law.
   */
  repeat(node: number): void {
    this.#children.get(this.#nodes[node]!.parent)!.push(node);
  }

  /** Children of a node, or of `root`, in the order they were drawn; a node that was drawn twice stands there twice. */
  children(parent: number): readonly number[] {
    return this.#children.get(parent) ?? [];
  }

  /** Whose probabilities a rule needs after a node: every token of its children's laws and the children, ascending. */
  asked(parent: number): Token[] {
    const tokens = new Set<Token>();
    for (const child of this.children(parent)) {
      const { token, proposal } = this.#nodes[child]!;
      tokens.add(token);
      if (proposal.kind !== "point") for (const other of proposal.law.tokens) tokens.add(other);
    }
    return [...tokens].sort((a, b) => a - b);
  }

  /** 1 for children of the root. */
  depthOf(node: number): number {
    return node === root ? 0 : this.#depths[node]!;
  }

  /** Nodes from the first drafted one to this one; empty for the root. */
  path(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at !== root; at = this.#nodes[at]!.parent) path.unshift(at);
    return path;
  }
}
