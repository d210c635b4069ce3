import { expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { pick, processed, type SparseLaw } from "../core/sparse-law.js";
import type { DraftRequest } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { chiSquare, draftRequest, ids, letterModel, paths, spell, verified } from "../testing/draft-world.js";
import model from "./model.js";

const target = letterModel(1);

async function sessionOf(draft = letterModel(2), options: Partial<Parameters<typeof model.open>[1]> = {}) {
  const opened = await model.open({ target, draft }, { draws: "coupled", head: 64, ...options });
  return opened.begin(ids("ab"));
}

/** The exact law of the draft model after a text. */
async function lawAfter(text: string, draft = letterModel(2)): Promise<SparseLaw> {
  const branch = await draft.open(text);
  const { topK } = await branch.append("", { topK: 5 });
  branch.drop();
  const sorted = [...topK!].sort((a, b) => a.token - b.token);
  return {
    tokens: sorted.map(({ token }) => token),
    probabilities: sorted.map(({ logprob }) => Math.exp(logprob)),
  };
}

test("sampled drafts have the law they tell, and it is the draft model's", async () => {
  const session = await sessionOf(letterModel(2), { draws: "sampled" });
  const counts = [new Map<Token, number>(), new Map<Token, number>()];
  for (let seed = 0; seed < 6000; seed++) {
    const sampling = { temperature: 0.8, topK: 4, topP: 1, minP: 0, seed };
    const { tree } = await session.propose(draftRequest("ab", { sampling, depth: 2 }));
    const [one, two] = tree.nodes;
    counts[0]!.set(one!.token, (counts[0]!.get(one!.token) ?? 0) + 1);
    if (spell([one!.token]) === "c") counts[1]!.set(two!.token, (counts[1]!.get(two!.token) ?? 0) + 1);
    if (seed > 0) continue;
    const expected = processed(await lawAfter("ab"), sampling);
    expect(one!.proposal.kind).toBe("independent");
    const told = (one!.proposal as { law: SparseLaw }).law;
    expect(told.tokens).toEqual(expected.tokens);
    for (const [index, p] of told.probabilities.entries())
      expect(p).toBeCloseTo(expected.probabilities[index]!, 9);
  }
  const sampling = { temperature: 0.8, topK: 4, topP: 1, minP: 0, seed: 0 };
  expect(chiSquare(counts[0]!, processed(await lawAfter("ab"), sampling))).toBeLessThan(5);
  expect(chiSquare(counts[1]!, processed(await lawAfter("abc"), sampling))).toBeLessThan(5);
  // The same counts against another law are far out, so the test can fail.
  expect(chiSquare(counts[0]!, processed(await lawAfter("abc"), { ...sampling, topK: 0 }))).toBeGreaterThan(
    20,
  );
});

test("coupled drafts are what the target would write if it had the draft's law", async () => {
  const draft = letterModel(2);
  const session = await sessionOf(draft);
  const branch = await draft.open("ab");
  for (const truncation of [{}, { topP: 0.7 }]) {
    const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 5, ...truncation };
    const { tree } = await session.propose(draftRequest("ab", { sampling }));
    const { tokens } = await branch.extend({
      splitter: { kind: "none" },
      maxTokens: 4,
      sampling,
      key: "k",
    });
    branch.trim(2);
    expect(tree.nodes.every(({ proposal }) => proposal.kind === "point")).toBe(true);
    // A real model draws from a truncated law by rank, a scripted one by id.
    if (!("topP" in truncation)) expect(tree.nodes.map(({ token }) => token)).toEqual(tokens);
  }
});

test("a truncated law is drawn from by rank, as the engine does", async () => {
  const session = await sessionOf();
  const law = processed(await lawAfter("ab"), { temperature: 1, topK: 3, topP: 1, minP: 0, seed: 0 });
  const order = [...law.tokens.keys()].sort((a, b) => law.probabilities[b]! - law.probabilities[a]!);
  const ranked = {
    tokens: order.map((i) => law.tokens[i]!),
    probabilities: order.map((i) => law.probabilities[i]!),
  };
  for (let seed = 0; seed < 20; seed++) {
    const sampling = { temperature: 1, topK: 3, topP: 1, minP: 0, seed };
    const { tree } = await session.propose(draftRequest("ab", { sampling, depth: 1 }));
    expect(tree.nodes[0]!.token).toBe(pick(ranked, keyedUniform(seed, "k", 2, "sample")));
  }
});

test("at temperature 0 all kinds of draws give the draft's greedy text", async () => {
  const draft = letterModel(2);
  const branch = await draft.open("ab");
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
  const { text } = await branch.extend({ splitter: { kind: "none" }, maxTokens: 4, sampling, key: "k" });
  for (const draws of ["coupled", "sampled", "top"] as const) {
    const session = await sessionOf(draft, { draws });
    const { tree } = await session.propose(draftRequest("ab", { sampling }));
    expect(paths(tree).at(-1)).toBe(text);
  }
});

test("reads each token once, whatever was accepted", async () => {
  const session = await sessionOf(letterModel(2), { draws: "top" });
  const first = await session.propose(draftRequest("ab", { depth: 3 }));
  expect(first.usage!.prefillTokens).toBe(2 + 2);
  // All three accepted, one more written: the third draft and the target's token have not been read.
  const all = verified(first.tree, ids("ab"), [0, 1, 2], ids("a")[0]!);
  session.learn?.(all);
  const text = [...ids("ab"), ...all.written];
  const second = await session.propose(draftRequest(text, { depth: 3 }));
  expect(second.usage!.prefillTokens).toBe(2 + 2);
  // None accepted: the target's token stands where the first draft stood.
  const other = letterOtherThan(second.tree.nodes[0]!.token);
  const third = await session.propose(draftRequest([...text, other], { depth: 1 }));
  expect(third.usage!.prefillTokens).toBe(1);
  expect(third.usage!.recomputedTokens).toBe(0);
});

test("a fork drafts on its own and leaves nothing behind", async () => {
  const draft = letterModel(2);
  const session = await sessionOf(draft, { draws: "top" });
  await session.propose(draftRequest("ab"));
  const fork = session.fork();
  const [one, other] = await Promise.all([
    session.propose(draftRequest("abc")),
    fork.propose(draftRequest("abd")),
  ]);
  const [alone, beside] = await Promise.all([
    sessionOf(draft, { draws: "top" }),
    sessionOf(draft, { draws: "top" }),
  ]);
  expect(paths(one.tree)).toEqual(paths((await alone.propose(draftRequest("abc"))).tree));
  expect(paths(other.tree)).toEqual(paths((await beside.propose(draftRequest("abd"))).tree));
  for (const each of [session, fork, alone, beside]) each.drop();
  expect(draft.liveBranches).toBe(0);
});

test("ends where the controller says, at the limits, and after an end token", async () => {
  const session = await sessionOf();
  const asked: number[] = [];
  const shouldStop: DraftRequest["shouldStop"] = ({ depth, probability, entropy }) => {
    expect(probability).toBeGreaterThan(0);
    expect(entropy).toBeGreaterThan(0);
    asked.push(depth);
    return depth === 2;
  };
  expect((await session.propose(draftRequest("ab", { shouldStop }))).tree.size).toBe(2);
  expect(asked).toEqual([1, 2]);
  expect((await session.propose(draftRequest("ab", { depth: 9, nodes: 3 }))).tree.size).toBe(3);
  const ending = letterModel(3, 2, { law: { tokens: () => [{ text: "", probability: 1 }] } });
  const { tree } = await (await sessionOf(ending)).propose(draftRequest("ab"));
  expect(tree.size).toBe(1);
});

test("gives hidden states where they are asked for", async () => {
  const draft = letterModel(2, 2, { hidden: ({ text }) => [text.length] });
  const session = await sessionOf(draft);
  const seen: (number | undefined)[] = [];
  const shouldStop: DraftRequest["shouldStop"] = ({ hidden }) => {
    seen.push(hidden?.[0]);
    return false;
  };
  await session.propose(draftRequest("ab", { shouldStop, hidden: true, depth: 2 }));
  await session.propose(draftRequest("ab", { shouldStop, depth: 1 }));
  expect(seen).toEqual([0, 1, undefined]);
});

test("refuses a missing draft and another tokenizer by name", async () => {
  await expect(model.open({ target }, { draws: "top", head: 4 })).rejects.toMatchObject({
    code: "missing-role",
  });
  const other = letterModel(2, 2, { pieces: ["x", ...["a", "b", "c", "d", "e"]] });
  await expect(model.open({ target, draft: other }, { draws: "top", head: 4 })).rejects.toMatchObject({
    code: "vocabulary-mismatch",
  });
});

function letterOtherThan(token: Token): Token {
  return ids("abcde").find((id) => id !== token)!;
}
