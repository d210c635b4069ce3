import { expect, test } from "vitest";
import type { BlendPart, Branch, Model, ReadOptions } from "../core/model.js";
import { noUsage } from "../core/model.js";
import type { Passage, Token } from "../core/step.js";
import { alphabetModel, draftRequest, ids, letterModel, paths, sampled } from "../testing/draft-world.js";
import { NGrams } from "./shared/ngrams.js";
import superposed from "./superposed.js";

/** Reads a mixture of tokens as a model would that is linear: the mean of what it says after each. */
function linear(model: ReturnType<typeof letterModel>) {
  const blends: (readonly BlendPart[])[] = [];
  let passes = 0;
  type World = { readonly weight: number; readonly text: readonly Token[] };
  const branchOf = (given: readonly World[]): Branch => {
    let worlds = given;
    const branch: Partial<Branch> = {
      get length() {
        return worlds[0]!.text.length;
      },
      fork: () => branchOf(worlds),
      trim(length) {
        worlds = [{ weight: 1, text: worlds[0]!.text.slice(0, length) }];
      },
      drop() {},
      async append(passage, { topK, blend }: ReadOptions = {}) {
        const { tokens } = passage as Passage;
        passes++;
        if (blend) blends.push(blend);
        const last = blend ?? tokens.slice(-1).map((token) => ({ token, weight: 1 }));
        const before = tokens.slice(0, -1);
        if (tokens.length > 0) {
          worlds = worlds.flatMap(({ weight, text }) =>
            last.map((part) => ({ weight: weight * part.weight, text: [...text, ...before, part.token] })),
          );
        }
        const mass = new Map<Token, number>();
        for (const { weight, text } of worlds) {
          const inner = await model.open({
            text: await model.detokenize(text),
            tokens: text,
            vocabulary: model.vocabulary,
          });
          const { topK: candidates } = await inner.append("", { topK: 5 });
          inner.drop();
          for (const { token, logprob } of candidates!)
            mass.set(token, (mass.get(token) ?? 0) + weight * Math.exp(logprob));
        }
        const ranked = [...mass].map(([token, p]) => ({ token, logprob: Math.log(p) }));
        ranked.sort((a, b) => b.logprob - a.logprob || a.token - b.token);
        return { topK: ranked.slice(0, topK), entropy: 0, usage: noUsage };
      },
    };
    return branch as Branch;
  };
  const blending: Model = Object.create(model, {
    capabilities: { value: new Set(["text", "logits", "branch", "graph"]) },
    open: { value: async (passage: Passage) => branchOf([{ weight: 1, text: passage.tokens }]) },
  });
  return { model: blending, blends, passes: () => passes };
}

async function sessionOf(world: ReturnType<typeof linear>, options = {}, texts: string[] = []) {
  const resources = { target: letterModel(1), draft: world.model, texts };
  return (await superposed.open(resources, superposed.schema.parse(options))).begin(ids("ab"));
}

test("one text without n-grams is greedy decoding, token for token", async () => {
  const plain = letterModel(2);
  const world = linear(plain);
  const session = await sessionOf(world, { drafts: 1, alpha: 0 });
  const branch = await plain.open("ab");
  const sampling = { ...sampled, temperature: 0 };
  const { text } = await branch.extend({ splitter: { kind: "none" }, maxTokens: 4, sampling, key: "k" });
  const { tree } = await session.propose(draftRequest("ab"));
  expect(paths(tree).at(-1)).toBe(text);
  expect(world.blends.every((blend) => blend.length === 1 && blend[0]!.weight === 1)).toBe(true);
});

test("however many texts, a pass per depth; weights are shares of the texts", async () => {
  const world = linear(letterModel(2));
  const session = await sessionOf(world, { drafts: 3, head: 5, temperature: 1 });
  const { tree } = await session.propose(draftRequest("ab", { nodes: 99, depth: 4 }));
  expect(world.passes()).toBe(4);
  expect(tree.depth).toBe(4);
  expect(world.blends.some((blend) => blend.length > 1)).toBe(true);
  for (const blend of world.blends) {
    expect(blend.every(({ weight }) => weight > 0)).toBe(true);
    expect(blend.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
  }
  const deepest = paths(tree).filter((path) => path.length === 4);
  expect(new Set(deepest).size).toBe(deepest.length);
  expect(deepest.length).toBeLessThanOrEqual(3);
});

test("n-grams pull the texts apart again", async () => {
  const draft = letterModel(5, 0.1);
  const session = await sessionOf(linear(draft), { drafts: 2, head: 5, temperature: 1 }, [
    "acecece",
    "bdbdbdb",
  ]);
  const { tree } = await session.propose(draftRequest("eeeee", { nodes: 99, depth: 3 }));
  const firsts = paths(tree).filter((path) => path.length === 3);
  // Each text goes on as its own words did: no pair of letters that neither text has.
  for (const path of firsts) {
    const pairs = [path.slice(0, 2), path.slice(1)];
    for (const pair of pairs) expect("acecece bdbdbdb eeeee").toContain(pair);
  }
});

test("nothing of a mixture is left in the draft model's branch for the next block", async () => {
  const world = linear(letterModel(2));
  const session = await sessionOf(world, { drafts: 2, temperature: 1, head: 5 });
  const { tree } = await session.propose(draftRequest("ab"));
  const text = [...ids("ab"), tree.nodes[0]!.token];
  const after = await session.propose(draftRequest(text, { depth: 1 }));
  const fresh = await sessionOf(linear(letterModel(2)), { drafts: 2, temperature: 1, head: 5 });
  expect(paths(after.tree)).toEqual(paths((await fresh.propose(draftRequest(text, { depth: 1 }))).tree));
});

test("a model that takes tokens alone is refused with the way out", async () => {
  const resources = { target: letterModel(1), draft: letterModel(2) };
  await expect(superposed.open(resources, superposed.schema.parse({}))).rejects.toMatchObject({
    code: "missing-capability",
    remedy: expect.stringContaining("graph:"),
  });
});

test("the n-gram score is the weighted sum of relative frequencies", async () => {
  const grams = await NGrams.of(alphabetModel(), ["abc", "abd"]);
  const scores = grams.scores(ids("eabcab"));
  // After "b": c in one text and d in the other, and c in the text itself; after "ab" the same; after "cab" nothing.
  const [c, d] = ids("cd").map((token) => scores.get(token)!);
  expect(c).toBeCloseTo((0.01 + 0.04) * (2 / 3), 12);
  expect(d).toBeCloseTo((0.01 + 0.04) * (1 / 3), 12);
  expect(scores.size).toBe(2);
});
