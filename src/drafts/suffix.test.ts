import { expect, test } from "vitest";
import { alphabetModel, draftRequest, ids, paths, verified } from "../testing/draft-world.js";
import { SuffixStore } from "./shared/suffix-store.js";
import suffix from "./suffix.js";

const open = (options = {}) => suffix.open({ target: alphabetModel() }, suffix.schema.parse(options));

/** Writes these texts in branches of their own, one after the other. */
async function written(texts: readonly string[], options = {}) {
  const opened = await open(options);
  for (const text of texts) {
    const session = opened.begin([]);
    await session.propose(draftRequest(text));
    session.drop();
  }
  return opened;
}

test("drafts what earlier outputs went on with, the most frequent first", async () => {
  const opened = await written(["abcd", "abce", "abce"]);
  const { tree } = await opened.begin(ids("ab")).propose(draftRequest("eab", { depth: 4 }));
  expect(paths(tree)).toEqual(["c", "ce", "cd"]);
  const floored = await written(["abcd", "abce", "abce"], { floor: 0.5 });
  const { tree: sure } = await floored.begin(ids("ab")).propose(draftRequest("eab"));
  expect(paths(sure)).toEqual(["c", "ce"]);
});

test("the longer match speaks first, the text itself at equal length", async () => {
  const opened = await written(["cabe"]);
  const draft = async (text: string) =>
    paths((await opened.begin([]).propose(draftRequest(text, { nodes: 1 }))).tree);
  expect(await draft("abdcab")).toEqual(["e"]);
  expect(await draft("cabdcab")).toEqual(["d"]);
});

test("drafts are no deeper than so many times the match", async () => {
  const opened = await written(["eabcdbcdbcdbcd"], { factor: 0.5 });
  const { tree } = await opened.begin([]).propose(draftRequest("eabcd", { depth: 8 }));
  expect(tree.depth).toBe(3);
});

test("a branch's text is remembered once, when the branch ends", async () => {
  const opened = await open({ shortest: 3 });
  const ask = async () => paths((await opened.begin([]).propose(draftRequest("dddabc", { nodes: 1 }))).tree);
  const session = opened.begin(ids("eeeeeeeeeeeeeeeeeeee"));
  const { tree } = await session.propose(draftRequest("eeeeeeeeeeeeeeeeeeeeab"));
  session.learn?.(verified(tree, ids("eeeeeeeeeeeeeeeeeeeeab"), [], ids("c")[0]!));
  const fork = session.fork();
  await fork.propose(draftRequest("eeeeeeeeeeeeeeeeeeeeabcde"));
  expect(await ask()).toEqual([]);
  fork.drop();
  expect(await ask()).toEqual(["d"]);
  session.drop();
  session.drop();
  expect(await ask()).toEqual(["d"]);
});

test("two opened drafters share nothing", async () => {
  await written(["abcde"]);
  const { tree } = await (await open()).begin([]).propose(draftRequest("eeabc"));
  expect(tree.size).toBe(0);
});

test("the store forgets the oldest texts and never grows past its size", () => {
  const store = new SuffixStore(64);
  store.add(ids("abcabcabc"));
  for (let turn = 0; turn < 50; turn++) {
    store.add(ids("dededede"));
    expect(store.size).toBeLessThanOrEqual(64);
  }
  expect(store.match(ids("abc"), 8).length).toBe(0);
  expect(store.match(ids("dede"), 8).length).toBe(4);
});
