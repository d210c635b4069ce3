import { expect, test } from "vitest";
import { DraftTree, pointProposal, root } from "../core/draft-tree.js";
import { withinLeaves } from "./within-leaves.js";

function treeOf(nodes: readonly (readonly [token: number, parent: number])[]): DraftTree {
  const tree = new DraftTree();
  for (const [token, parent] of nodes) tree.add({ token, parent, proposal: pointProposal, origin: "test" });
  return tree;
}

const shape = (tree: DraftTree) => tree.nodes.map(({ token, parent }) => [token, parent]);

test("a tree that fits stays as it is", () => {
  const tree = treeOf([
    [1, -1],
    [2, 0],
    [3, 0],
  ]);
  expect(withinLeaves(tree, 2)).toBe(tree);
});

test("the first draws at each place stay, with what hangs on them", () => {
  const tree = treeOf([
    [1, -1],
    [2, -1],
    [3, -1],
    [4, 0],
    [5, 0],
    [6, 2],
    [7, 3],
    [8, 1],
  ]);
  expect(shape(withinLeaves(tree, 3))).toEqual([
    [1, -1],
    [2, -1],
    [3, -1],
    [4, 0],
    [8, 1],
    [6, 2],
    [7, 3],
  ]);
  expect(shape(withinLeaves(tree, 2))).toEqual([
    [1, -1],
    [2, -1],
    [4, 0],
    [8, 1],
    [7, 2],
  ]);
  expect(shape(withinLeaves(tree, 1))).toEqual([
    [1, -1],
    [4, 0],
    [7, 1],
  ]);
});

test("a token that was drawn again counts as another would", () => {
  const twice = treeOf([
    [1, -1],
    [2, -1],
  ]);
  twice.repeat(0);
  expect(withinLeaves(twice, 3)).toBe(twice);
  expect(withinLeaves(twice, 2).children(root)).toEqual([0, 1]);
  const again = treeOf([[1, -1]]);
  again.repeat(0);
  again.add({ token: 2, parent: root, proposal: pointProposal, origin: "test" });
  expect(withinLeaves(again, 2).children(root)).toEqual([0, 0]);
});
