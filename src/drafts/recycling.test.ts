import { expect, test } from "vitest";
import { root } from "../core/draft-tree.js";
import { alphabetModel, draftRequest, ids, paths, verified } from "../testing/draft-world.js";
import recycling from "./recycling.js";
import { recyclingTemplate, wholeTemplate } from "./shared/recycling-template.js";

const target = alphabetModel();
const open = (successors = 2) => recycling.open({ target }, { successors });
const candidates = (text: string) => ids(text).map((token) => ({ token, logprob: -1 }));

/** One block over nothing: the target's row after this text goes into the table. */
function teach(
  session: { learn?(block: ReturnType<typeof verified>): void },
  text: string,
  next: string,
): void {
  const block = verified(emptyTree(), ids(text), [], ids(next)[0]!, () => candidates(next));
  session.learn?.(block);
}

function emptyTree() {
  return verifiedTree.tree;
}
const verifiedTree = await (await open()).begin([]).propose(draftRequest("a"));

test("the template is the paper's: 80 nodes, six deep, parents first", () => {
  const perDepth = [1, 2, 3, 4, 5, 6].map(
    (depth) => wholeTemplate.filter((node) => node.depth === depth).length,
  );
  expect(perDepth).toEqual([8, 21, 25, 15, 8, 3]);
  const seen = new Set([""]);
  for (const { name, parent } of wholeTemplate) {
    expect(seen.has(parent)).toBe(true);
    seen.add(name);
  }
  expect(seen.size).toBe(81);
});

test("smaller trees are parts of it that hold together, and asked ranks exist", () => {
  for (const nodes of [1, 8, 16, 32, 80, 200]) {
    const kept = recyclingTemplate(nodes, 8);
    expect(kept).toHaveLength(Math.min(nodes, 80));
    const names = new Set(["", ...kept.map(({ name }) => name)]);
    expect(kept.every(({ parent }) => names.has(parent))).toBe(true);
  }
  expect(recyclingTemplate(80, 2).every(({ rank }) => rank < 2)).toBe(true);
});

test("drafts nothing before it has seen anything, then what followed each token", async () => {
  const session = (await open()).begin([]);
  expect((await session.propose(draftRequest("a"))).tree.size).toBe(0);
  teach(session, "a", "bc");
  teach(session, "b", "de");
  teach(session, "d", "a");
  const { tree } = await session.propose(draftRequest("a", { depth: 6, nodes: 80 }));
  expect(paths(tree).slice(0, 4)).toEqual(["b", "c", "bd", "be"]);
  expect(paths(tree)).toContain("bda");
  expect(paths(tree)).toContain("bdab");
  expect(tree.nodes.every(({ proposal }) => proposal.kind === "point")).toBe(true);
});

test("the table holds the last row after each token; of several in a tree the deepest kept, else the shallowest", async () => {
  const session = (await open(1)).begin([]);
  teach(session, "a", "b");
  teach(session, "b", "a");
  const { tree } = await session.propose(draftRequest("a", { depth: 4, nodes: 8 }));
  expect(paths(tree)).toEqual(["b", "ba", "bab", "baba"]);
  // Each place's row names another token: c after the text, then d, e, c, d.
  const names = ["c", "d", "e", "c", "d"];
  const row = (node: number) => candidates(names[node + 1]!);
  session.learn?.(verified(tree, ids("a"), [0, 1], ids("e")[0]!, row));
  // "a" stood at the root, at node 1 (kept) and at node 3; "b" at node 0 (kept) and at node 2.
  expect(paths((await session.propose(draftRequest("a", { depth: 1 }))).tree)).toEqual(["e"]);
  expect(paths((await session.propose(draftRequest("b", { depth: 1 }))).tree)).toEqual(["d"]);
  session.learn?.(
    verified(tree, ids("a"), [], ids("e")[0]!, (node) => candidates(node === root ? "c" : names[node + 1]!)),
  );
  expect(paths((await session.propose(draftRequest("b", { depth: 1 }))).tree)).toEqual(["d"]);
});

test("branches of one opened drafter share the table, two opened drafters do not", async () => {
  const [one, two] = await Promise.all([open(), open()]);
  teach(one.begin([]), "a", "bc");
  expect((await one.begin([]).fork().propose(draftRequest("a"))).tree.size).toBe(2);
  expect((await two.begin([]).propose(draftRequest("a"))).tree.size).toBe(0);
});
