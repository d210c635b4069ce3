import { expect, test } from "vitest";
import { DraftTree, type Proposal, pointProposal, root } from "../core/draft-tree.js";
import type { SparseLaw } from "../core/sparse-law.js";
import { draftRequest, ids, letterModel, paths } from "../testing/draft-world.js";
import fused from "./fused.js";
import lookup from "./lookup.js";
import model from "./model.js";
import { fuse } from "./shared/fuse.js";

const target = letterModel(1);
const draft = letterModel(2);
const law: SparseLaw = { tokens: ids("abc"), probabilities: [0.5, 0.3, 0.2] };
const drawn: Proposal = { kind: "independent", law };

/** A tree of paths, each of whose letters has the proposal. */
function treeOf(texts: readonly string[], proposal: Proposal, origin: string): DraftTree {
  const tree = new DraftTree();
  for (const text of texts) {
    let parent = root;
    for (const token of ids(text)) {
      const same = tree.children(parent).find((node) => tree.nodes[node]!.token === token);
      parent = same ?? tree.add({ token, parent, proposal, origin });
    }
  }
  return tree;
}

test("the union is a trie of both, in whatever order points are joined", () => {
  const one = treeOf(["abc", "abd"], pointProposal, "one");
  const two = treeOf(["abe", "c", "abd"], pointProposal, "two");
  const both = paths(fuse([one, two], 99));
  expect(new Set(both).size).toBe(both.length);
  expect(new Set(both)).toEqual(new Set(["a", "ab", "abc", "abd", "abe", "c"]));
  expect(new Set(paths(fuse([two, one], 99)))).toEqual(new Set(both));
});

test("points yield to draws: they come after them, and where a token was drawn it stands once", () => {
  const points = treeOf(["a", "d", "ce"], pointProposal, "points");
  const draws = treeOf(["ab", "c"], drawn, "draws");
  const tree = fuse([points, draws], 99);
  const kinds = tree.children(root).map((node) => tree.nodes[node]!.proposal.kind);
  expect(kinds).toEqual(["independent", "independent", "point"]);
  expect(paths(tree)).toContain("ce");
});

test("no draw is ever left out: another law's draw of the same token is a try of its own, repeats stay", () => {
  const one = treeOf(["ab"], drawn, "one");
  const two = treeOf(["ac"], { kind: "independent", law: { ...law } }, "two");
  two.repeat(0);
  const tree = fuse([one, two], 1);
  expect(tree.children(root)).toHaveLength(3);
  expect(tree.children(root).map((node) => tree.nodes[node]!.origin)).toEqual(["one", "two", "two"]);
  // What hangs on the second one's token hangs on the first node with it: the other can only be refused.
  expect(tree.children(0).map((node) => tree.nodes[node]!.origin)).toEqual(["one", "two"]);
});

test("points fill what is left of the nodes", () => {
  const tree = fuse([treeOf(["abcde"], pointProposal, "one"), treeOf(["b"], drawn, "two")], 3);
  expect(paths(tree)).toEqual(["b", "a", "ab"]);
});

test("is its one drafter alone where the other has nothing to say", async () => {
  const resources = { target, draft };
  const open = async (drafters: string) => (await fused.open(resources, { drafters })).begin(ids("ab"));
  const alone = (await model.open(resources, { draws: "top", head: 64 })).begin(ids("ab"));
  const request = draftRequest("abcde", { nodes: 6, depth: 3 });
  const both = await (await open("lookup+model?draws=top")).propose(request);
  expect(paths(both.tree)).toEqual(paths((await alone.propose(request)).tree));
  expect(both.usage!.prefillTokens).toBeGreaterThan(0);
  const copying = draftRequest("abcab", { nodes: 3, depth: 3 });
  const found = (await lookup.open(resources, lookup.schema.parse({}))).begin([]);
  const copied = await (await open("lookup")).propose(copying);
  expect(paths(copied.tree)).toEqual(paths((await found.propose(copying)).tree));
  expect(copied.usage).toBeUndefined();
});

test("shares out the nodes, and what one leaves the next may use", async () => {
  const opened = await fused.open({ target, draft }, { drafters: "model?draws=top+lookup" });
  const session = opened.begin(ids("ab"));
  const { tree } = await session.propose(draftRequest("abcab", { nodes: 6, depth: 6 }));
  const origins = tree.nodes.map(({ origin }) => origin);
  expect(origins.filter((origin) => origin === "model")).toHaveLength(3);
  expect(tree.size).toBeLessThanOrEqual(6);
  const leaves = await fused.open({ target, draft }, { drafters: "lookup+model?draws=top" });
  const { tree: rest } = await leaves.begin([]).propose(draftRequest("abcde", { nodes: 4, depth: 4 }));
  expect(rest.size).toBe(4);
  expect(opened.proposals).toEqual(["point"]);
});

test("forks and drops all of its sessions", async () => {
  const own = letterModel(3);
  const opened = await fused.open({ target, draft: own }, { drafters: "suffix+model" });
  const session = opened.begin(ids("ab"));
  await session.propose(draftRequest("ab"));
  const fork = session.fork();
  await fork.propose(draftRequest("abc"));
  session.drop();
  fork.drop();
  expect(own.liveBranches).toBe(0);
});

test("an unknown drafter is answered with the nearest one", async () => {
  await expect(fused.open({ target }, { drafters: "lokup" })).rejects.toMatchObject({ code: "unknown-name" });
});
