import { z } from "zod";
import { root } from "../core/draft-tree.js";
import { type DraftRequest, defineDrafter, type Verified } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { PointTree } from "./shared/point-tree.js";
import { recyclingTemplate } from "./shared/recycling-template.js";
import { tableSession } from "./shared/table-session.js";

const absent = -1;

export default defineDrafter({
  name: "recycling",
  essence: "what the target last found probable after each token, laid out in a fixed tree of ranks",
  source: "Luo et al., Token Recycling, ACL 2025, arXiv 2408.08696",
  shape: "tree",
  proposals: ["point"],
  needsDraft: false,
  cost: "nothing but the nodes that the target reads; four bytes per token of the vocabulary and successor",
  use: "a target alone, on any text; it warms up over the first hundreds of tokens",
  schema: z.object({
    successors: z.int().min(1).max(64).default(8).describe("tokens remembered after each token"),
  }),
  async open({ target }, { successors }) {
    const table = new Recycled(target.size.vocabulary, successors);
    return { topK: successors, begin: () => tableSession(table) };
  },
});

/** The table of all branches of one opened drafter. */
class Recycled {
  readonly #successors: number;
  /** [vocabulary, successors], best first. */
  readonly #table: Int32Array;

  constructor(vocabulary: number, successors: number) {
    this.#successors = successors;
    this.#table = new Int32Array(vocabulary * successors).fill(absent);
  }

  propose(request: DraftRequest) {
    const drafts = new PointTree(request);
    /** Node of the tree for each place of the template that could be filled. */
    const placed = new Map<string, number>([["", root]]);
    for (const { parent, rank, name } of recyclingTemplate(request.nodes, this.#successors)) {
      const above = placed.get(parent);
      if (above === undefined) continue;
      const before = above === root ? request.tokens.at(-1) : drafts.tree.nodes[above]!.token;
      const token = before === undefined ? absent : this.#successor(before, rank);
      const node = token === absent ? null : drafts.add(above, token, "recycling");
      if (node !== null) placed.set(name, node);
    }
    return drafts.tree;
  }

  learn({ tree, rows, path, tokens }: Verified): void {
    const kept = new Set(path);
    const others = [...tree.nodes.keys()].filter((node) => !kept.has(node));
    // A token may stand at several nodes: the shallowest refused one speaks for it, before that the deepest kept one.
    const order = [...others.sort((a, b) => tree.depthOf(b) - tree.depthOf(a)), root, ...path];
    for (const node of order) {
      const token = node === root ? tokens.at(-1) : tree.nodes[node]!.token;
      if (token !== undefined) this.#remember(token, rows[node + 1]?.topK ?? []);
    }
  }

  #successor(token: Token, rank: number): Token {
    return this.#table[token * this.#successors + rank] ?? absent;
  }

  #remember(token: Token, topK: readonly { readonly token: Token }[]): void {
    const start = token * this.#successors;
    if (topK.length === 0 || start >= this.#table.length) return;
    for (let rank = 0; rank < this.#successors; rank++) {
      this.#table[start + rank] = topK[rank]?.token ?? absent;
    }
  }
}
