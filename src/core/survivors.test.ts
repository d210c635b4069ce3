import { expect, test } from "vitest";
import type { Node, Search } from "./search.js";
import { commonAncestor, keepOnly, offerBest } from "./survivors.js";

const node = (id: string, parent: Node | null, finish: Node["finish"] = null): Node =>
  ({ id, parent, step: parent ? {} : null, depth: parent ? parent.depth + 1 : 0, finish }) as unknown as Node;

const root = node("", null);
const [a, b] = [node("0", root), node("1", root)];
const [a0, a1, b0] = [node("0.0", a), node("0.1", a), node("1.0", b, "stop")];

function pruned(nodes: readonly Node[], kept: readonly Node[]): string[] {
  const given: string[] = [];
  keepOnly({ prune: ({ id }: Node) => given.push(id) } as unknown as Search, nodes, kept);
  return given;
}

test("what only led to a node that is given up goes with it", () => {
  expect(pruned([a0, a1, b0], [a0])).toEqual(["0.1", "1"]);
  expect(pruned([a0, a1], [b0])).toEqual(["0"]);
  expect(pruned([a0, a], [a0])).toEqual([]);
  expect(pruned([a0, a1, b0], [])).toEqual(["0", "1"]);
});

test("the common ancestor is the deepest node on all paths", () => {
  expect(commonAncestor([a0, a1])).toBe(a);
  expect(commonAncestor([a0, b0, a1])).toBe(root);
  expect(commonAncestor([a0, a])).toBe(a);
  expect(commonAncestor([b0])).toBe(b0);
});

test("a whole answer is offered before a prefix, a deep prefix before a shallow one", () => {
  const offered: (readonly [string, number])[] = [];
  const search = { offer: ({ id }: Node, value: number) => offered.push([id, value]) } as unknown as Search;
  offerBest(search, [
    { node: a0, merit: 1 },
    { node: b0, merit: 0.2 },
  ]);
  offerBest(search, [
    { node: a, merit: 1 },
    { node: a0, merit: 0.1 },
    { node: a1, merit: 0.3 },
  ]);
  offerBest(search, [{ node: root, merit: 1 }]);
  expect(offered.map(([id]) => id)).toEqual(["1.0", "0.1"]);
  expect(offered[0]![1]).toBeGreaterThan(offered[1]![1]);
});
