import { expect, test } from "vitest";
import { root } from "../core/draft-tree.js";
import { draftRequest, letterModel, paths, sampled } from "../testing/draft-world.js";
import retrieval from "./retrieval.js";

const target = letterModel(1);
const draft = letterModel(2);

async function sessionOf(texts: readonly string[], options = {}, withDraft = true) {
  const resources = { target, texts, ...(withDraft && { draft }) };
  return (await retrieval.open(resources, retrieval.schema.parse(options))).begin([]);
}

test("without a draft model it is what followed in the texts, the most frequent first", async () => {
  const session = await sessionOf(["abcd", "abce", "abce"], {}, false);
  expect(paths((await session.propose(draftRequest("eab"))).tree)).toEqual(["c", "ce", "cd"]);
  expect((await session.propose(draftRequest("dd"))).tree.size).toBe(0);
});

test("without a match it is the draft model's tree alone, with all the nodes", async () => {
  const alone = await sessionOf([], {});
  const given = await sessionOf(["eeee"], {});
  const request = draftRequest("abcd", { nodes: 6 });
  const [one, two] = await Promise.all([alone.propose(request), given.propose(request)]);
  expect(paths(one.tree)).toEqual(paths(two.tree));
  expect(one.tree.size).toBe(6);
  expect(one.tree.nodes.every(({ proposal }) => proposal.kind === "without-replacement")).toBe(true);
});

test("drawn drafts stand first and stay, whatever was retrieved; the union is a trie within the nodes", async () => {
  const session = await sessionOf(["abcde", "abdac", "abeab"], { floor: 0, rootTop: 256 });
  for (let seed = 0; seed < 50; seed++) {
    const request = draftRequest("cab", { nodes: 8, sampling: { ...sampled, seed } });
    const { tree } = await session.propose(request);
    expect(tree.size).toBeLessThanOrEqual(8);
    expect(new Set(paths(tree)).size).toBe(tree.size);
    for (const parent of [root, ...tree.nodes.keys()]) {
      const kinds = tree.children(parent).map((node) => tree.nodes[node]!.proposal.kind);
      // Draws before points: the kinds fall in alphabetical order.
      expect(kinds).toEqual([...kinds].sort().reverse());
    }
    expect(tree.nodes.some(({ proposal }) => proposal.kind === "point")).toBe(true);
  }
});

test("a first token that the draft model does not believe is left out", async () => {
  const branch = await draft.open("cab");
  const { topK } = await branch.append("", { topK: 5 });
  const least = await draft.detokenize([topK!.at(-1)!.token]);
  const best = await draft.detokenize([topK![0]!.token]);
  const firsts = async (options: object) => {
    const session = await sessionOf([`cab${least}`, `cab${best}`], { floor: 0, ...options });
    const { tree } = await session.propose(draftRequest("cab", { nodes: 2, depth: 1 }));
    return tree.nodes.filter(({ proposal }) => proposal.kind === "point").length;
  };
  const session = await sessionOf([`cab${least}`], { floor: 0, rootTop: 1 });
  const { tree } = await session.propose(
    draftRequest("cab", { nodes: 2, depth: 1, sampling: { ...sampled, temperature: 0 } }),
  );
  expect(paths(tree)).toEqual([best]);
  expect(await firsts({ rootTop: 256, share: 1 })).toBe(2);
});

test("refuses texts that are longer than its memory", async () => {
  await expect(sessionOf(["abcde"], { memory: 4 })).rejects.toMatchObject({ code: "invalid-option" });
});

test("a text's own words count as well", async () => {
  const session = await sessionOf([], { share: 1 });
  expect(paths((await session.propose(draftRequest("abcdab", { depth: 2 }))).tree)).toEqual(["c", "cd"]);
});
