import { expect, test } from "vitest";
import type { SparseLaw } from "../core/sparse-law.js";
import type { Token } from "../core/step.js";
import {
  chiSquare,
  draftRequest,
  ids,
  letterModel,
  paths,
  sampled,
  verified,
} from "../testing/draft-world.js";
import beamForest from "./beam-forest.js";
import model from "./model.js";
import { atLeast, BeamWidth } from "./shared/beam-width.js";

const target = letterModel(1);

async function sessionOf(options: Record<string, unknown> = {}, draft = letterModel(2)) {
  const opened = await beamForest.open({ target, draft }, beamForest.schema.parse(options));
  return opened.begin(ids("ab"));
}

const lawOf = (proposal: unknown) => (proposal as { law: SparseLaw }).law;

test.each(["without-replacement", "independent"])(
  "children have the law they tell, at the text's end and below, drawn %s",
  async (draws) => {
    const session = await sessionOf({ draws, width: 3, confidence: 0 });
    const counts = [new Map<Token, number>(), new Map<Token, number>()];
    const laws: (SparseLaw | undefined)[] = [];
    for (let seed = 0; seed < 4000; seed++) {
      const request = draftRequest("ab", { depth: 2, sampling: { ...sampled, seed } });
      const { tree } = await session.propose(request);
      const first = tree.nodes[tree.children(-1)[0]!]!;
      laws[0] = lawOf(first.proposal);
      counts[0]!.set(first.token, (counts[0]!.get(first.token) ?? 0) + 1);
      const c = tree.children(-1).find((node) => tree.nodes[node]!.token === ids("c")[0]!);
      const below = c === undefined ? undefined : tree.children(c)[0];
      if (below === undefined) continue;
      const { token, proposal } = tree.nodes[below]!;
      laws[1] = lawOf(proposal);
      counts[1]!.set(token, (counts[1]!.get(token) ?? 0) + 1);
    }
    for (const index of [0, 1]) expect(chiSquare(counts[index]!, laws[index]!)).toBeLessThan(5);
    expect(chiSquare(counts[0]!, laws[1]!)).toBeGreaterThan(5);
  },
);

test("the two first of three stochastic beams are an ordered sample without replacement", async () => {
  const session = await sessionOf({ width: 2, confidence: 0 });
  const pairs = new Map<Token, number>();
  let law: SparseLaw | undefined;
  for (let seed = 0; seed < 4000; seed++) {
    const request = draftRequest("ab", { depth: 1, sampling: { ...sampled, seed } });
    const { tree } = await session.propose(request);
    const [one, two] = tree.nodes;
    law = lawOf(one!.proposal);
    const pair = law.tokens.indexOf(one!.token) * 5 + law.tokens.indexOf(two!.token);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  const expected = { tokens: [] as number[], probabilities: [] as number[] };
  for (const [one, p] of law!.probabilities.entries()) {
    for (const [two, q] of law!.probabilities.entries()) {
      if (one === two) continue;
      expected.tokens.push(one * 5 + two);
      expected.probabilities.push((p * q) / (1 - p));
    }
  }
  expect(chiSquare(pairs, expected)).toBeLessThan(2.5);
});

test("no depth has more nodes than the width, and independent draws are all told", async () => {
  for (const draws of ["without-replacement", "independent"]) {
    const session = await sessionOf({ draws, width: 3, confidence: 0 });
    for (let seed = 0; seed < 30; seed++) {
      const request = draftRequest("ab", { nodes: 64, sampling: { ...sampled, seed } });
      const { tree } = await session.propose(request);
      for (const depth of [1, 2, 3, 4]) {
        const layer = [...tree.nodes.keys()].filter((node) => tree.depthOf(node) === depth);
        expect(layer.length).toBeLessThanOrEqual(3);
        const parents =
          depth === 1 ? [-1] : [...tree.nodes.keys()].filter((node) => tree.depthOf(node) === depth - 1);
        const draws = parents.reduce((sum, parent) => sum + tree.children(parent).length, 0);
        expect(draws).toBe(3);
      }
    }
  }
});

test("one beam at temperature 0 is the draft's greedy text; more are the best texts by probability", async () => {
  const sampling = { ...sampled, temperature: 0 };
  const draft = letterModel(2);
  const chain = await (await model.open({ target, draft }, { draws: "top", head: 64 })).begin(ids("ab"));
  const greedy = await chain.propose(draftRequest("ab", { sampling }));
  const one = await (await sessionOf({ width: 1 }, draft)).propose(draftRequest("ab", { sampling }));
  expect(paths(one.tree)).toEqual(paths(greedy.tree));
  const many = await (await sessionOf({ width: 5, confidence: 0 }, draft)).propose(
    draftRequest("ab", { sampling, depth: 2, nodes: 99 }),
  );
  const chances = await pairChances(draft);
  const best = [...chances].sort(([, a], [, b]) => b - a).slice(0, 5);
  expect(paths(many.tree).filter((path) => path.length === 2)).toEqual(best.map(([pair]) => pair));
});

test("the width follows what was accepted", () => {
  const accepting = new BeamWidth(1, 0.7);
  const refusing = new BeamWidth(2, 0.7);
  for (let block = 0; block < 60; block++) {
    const tree = treeOfThree();
    accepting.learn(verified(tree, [], [0], 1));
    refusing.learn(verified(tree, [], [], 1));
  }
  expect(accepting.next(6)).toBeGreaterThan(4);
  expect(refusing.next(6)).toBe(2);
  expect(accepting.copy().next(6)).toBe(accepting.next(6));
  expect(new BeamWidth(1, 0).next(6)).toBe(6);
});

test("the law of the number of accepted beams is the binomial one", () => {
  expect(atLeast(0, 4, 0.3)).toBeCloseTo(1, 12);
  expect(atLeast(4, 4, 0.3)).toBeCloseTo(0.3 ** 4, 12);
  expect(atLeast(2, 4, 0.3)).toBeCloseTo(6 * 0.3 ** 2 * 0.7 ** 2 + 4 * 0.3 ** 3 * 0.7 + 0.3 ** 4, 12);
});

function treeOfThree() {
  return trees.tree;
}
const trees = await (await sessionOf({ width: 3, confidence: 0 })).propose(draftRequest("ab", { depth: 1 }));

/** Exact probabilities of the draft's next two letters. */
async function pairChances(draft: ReturnType<typeof letterModel>): Promise<Map<string, number>> {
  const chances = new Map<string, number>();
  const branch = await draft.open("ab");
  const { topK: firsts } = await branch.append("", { topK: 5 });
  for (const first of firsts!) {
    const next = await draft.open("ab");
    const passage = { text: "", tokens: [first.token], vocabulary: draft.vocabulary };
    const { topK: seconds } = await next.append(passage, { topK: 5 });
    for (const second of seconds!) {
      const pair = await draft.detokenize([first.token, second.token]);
      chances.set(pair, Math.exp(first.logprob + second.logprob));
    }
  }
  return chances;
}
