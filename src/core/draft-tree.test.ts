import { describe, expect, test } from "vitest";
import { DraftTree, type Proposal, pointProposal, root } from "./draft-tree.js";

const law = { tokens: [3, 5], probabilities: [0.5, 0.5] };
const drawn: Proposal = { kind: "independent", law };
const node = (token: number, parent: number, proposal: Proposal = pointProposal) => ({
  token,
  parent,
  proposal,
  origin: "test",
});

describe("a tree of drafts", () => {
  test("keeps siblings in the order they were drawn, a repeated draw once more and last", () => {
    const tree = new DraftTree();
    const first = tree.add(node(5, root, drawn));
    const second = tree.add(node(3, root, drawn));
    tree.repeat(first);
    expect(tree.children(root)).toEqual([first, second, first]);
    expect(tree.size).toBe(2);
  });

  test("asks for every token that a child is or could have been, once each", () => {
    const tree = new DraftTree();
    const first = tree.add(node(5, root, drawn));
    tree.add(node(9, root));
    tree.add(node(3, first));
    expect(tree.asked(root)).toEqual([3, 5, 9]);
    expect(tree.asked(first)).toEqual([3]);
    expect(tree.asked(2)).toEqual([]);
  });

  test("knows paths and depths, and refuses a node that hangs on none", () => {
    const tree = DraftTree.chain(
      [3, 5, 9].map((token) => ({ token, proposal: pointProposal, origin: "test" })),
    );
    const leaf = tree.add(node(4, 0));
    expect(tree.path(leaf)).toEqual([0, 3]);
    expect([tree.depth, tree.depthOf(leaf), tree.depthOf(root)]).toEqual([3, 2, 0]);
    expect(() => tree.add(node(1, 7))).toThrow("no node 7");
  });
});
