import { expect, test } from "vitest";
import type { SparseLaw } from "../core/sparse-law.js";
import type { Token } from "../core/step.js";
import {
  childrenOf,
  chiSquare,
  draftRequest,
  ids,
  letterModel,
  paths,
  sampled,
  verified,
} from "../testing/draft-world.js";
import model from "./model.js";
import modelTree from "./model-tree.js";

const target = letterModel(1);

async function sessionOf(options: Record<string, unknown> = {}, draft = letterModel(2)) {
  const opened = await modelTree.open({ target, draft }, modelTree.schema.parse(options));
  return opened.begin(ids("ab"));
}

const lawOf = (proposal: unknown) => (proposal as { law: SparseLaw }).law;

test("siblings without replacement differ and follow the law that each says, with one law for all", async () => {
  const session = await sessionOf({ branching: "2" });
  const firsts = new Map<Token, number>();
  const seconds = new Map<Token, number>();
  let law: SparseLaw | undefined;
  for (let seed = 0; seed < 4000; seed++) {
    const { tree } = await session.propose(draftRequest("ab", { depth: 1, sampling: { ...sampled, seed } }));
    const [one, two] = tree.children(-1).map((node) => tree.nodes[node]!);
    expect(one!.token).not.toBe(two!.token);
    expect(lawOf(one!.proposal)).toBe(lawOf(two!.proposal));
    law = lawOf(one!.proposal);
    firsts.set(one!.token, (firsts.get(one!.token) ?? 0) + 1);
    seconds.set(two!.token, (seconds.get(two!.token) ?? 0) + 1);
  }
  expect(chiSquare(firsts, law!)).toBeLessThan(5);
  const second = law!.tokens.map((token, index) =>
    law!.tokens.reduce((sum, other, at) => {
      if (other === token) return sum;
      const p = law!.probabilities[at]!;
      return sum + (p * law!.probabilities[index]!) / (1 - p);
    }, 0),
  );
  expect(chiSquare(seconds, { tokens: law!.tokens, probabilities: second })).toBeLessThan(5);
  expect(chiSquare(seconds, law!)).toBeGreaterThan(5);
});

test("independent siblings that are equal stand there once more, and nothing is dropped", async () => {
  const session = await sessionOf({ branching: "3", draws: "independent" });
  const counts = new Map<Token, number>();
  let repeats = 0;
  let law: SparseLaw | undefined;
  for (let seed = 0; seed < 2000; seed++) {
    const { tree } = await session.propose(draftRequest("ab", { depth: 1, sampling: { ...sampled, seed } }));
    const drawn = tree.children(-1);
    expect(drawn).toHaveLength(3);
    repeats += 3 - tree.size;
    for (const node of drawn) {
      const { token, proposal } = tree.nodes[node]!;
      law = lawOf(proposal);
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  }
  expect(repeats).toBeGreaterThan(500);
  expect(chiSquare(counts, law!)).toBeLessThan(5);
});

test("one child everywhere is the chain of the model drafter, bit for bit", async () => {
  const draft = letterModel(2);
  const chain = await (await model.open({ target, draft }, { draws: "sampled", head: 64 })).begin(ids("ab"));
  for (let seed = 0; seed < 20; seed++) {
    const request = draftRequest("ab", { sampling: { ...sampled, seed } });
    for (const draws of ["without-replacement", "independent"]) {
      const session = await sessionOf({ branching: "1", draws }, draft);
      expect(paths((await session.propose(request)).tree)).toEqual(
        paths((await chain.propose(request)).tree),
      );
    }
  }
});

test("takes the most probable tokens at temperature 0, as points", async () => {
  const session = await sessionOf({ branching: "3+1" });
  const { tree } = await session.propose(
    draftRequest("ab", { sampling: { ...sampled, temperature: 0 }, depth: 2 }),
  );
  const branch = await letterModel(2).open("ab");
  const { topK } = await branch.append("", { topK: 3 });
  expect(tree.children(-1).map((node) => tree.nodes[node]!.token)).toEqual(topK!.map(({ token }) => token));
  expect(tree.nodes.every(({ proposal }) => proposal.kind === "point")).toBe(true);
  expect(tree.size).toBe(6);
  expect(childrenOf(tree, 0)).toHaveLength(1);
});

test("keeps to nodes and depth, reads each node once, and goes on from the accepted branch", async () => {
  const draft = letterModel(2);
  const session = await sessionOf({ branching: "2" }, draft);
  const { tree, usage } = await session.propose(draftRequest("ab", { nodes: 9, depth: 3 }));
  expect(tree.size).toBe(9);
  expect(tree.depth).toBe(3);
  // The text, the first layer and as much of the second as gets children.
  expect(usage!.prefillTokens).toBe(2 + 2 + 3);
  const deep = [...tree.nodes.keys()].findLast((node) => tree.depthOf(node) === 2)!;
  session.learn?.(verified(tree, ids("ab"), tree.path(deep), ids("a")[0]!));
  const text = [...ids("ab"), ...tree.path(deep).map((node) => tree.nodes[node]!.token), ids("a")[0]!];
  const next = await session.propose(draftRequest(text, { nodes: 1 }));
  expect(next.usage!.prefillTokens).toBeLessThanOrEqual(2);
  session.drop();
  expect(draft.liveBranches).toBe(0);
});

test("the law of a child is the law after its own path", async () => {
  const session = await sessionOf({ branching: "3" });
  const { tree } = await session.propose(draftRequest("ab", { nodes: 12, depth: 2 }));
  const draft = letterModel(2);
  for (const [index, node] of tree.nodes.entries()) {
    if (tree.depthOf(index) !== 2) continue;
    const path = paths(tree)[node.parent]!;
    const branch = await draft.open(`ab${path}`);
    const { topK } = await branch.append("", { topK: 5 });
    const law = lawOf(node.proposal);
    for (const { token, logprob } of topK!) {
      expect(law.probabilities[law.tokens.indexOf(token)]).toBeCloseTo(Math.exp(logprob), 9);
    }
  }
});
