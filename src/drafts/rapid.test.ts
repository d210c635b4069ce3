import { expect, test } from "vitest";
import { alphabetModel, draftRequest, ids, letterModel, paths, spell } from "../testing/draft-world.js";
import model from "./model.js";
import rapid from "./rapid.js";
import { shortContext } from "./shared/short-context.js";

const options = { chunk: 8, context: 16, lead: 2, query: 8, similarity: 0 };
const shorten = async (text: string, given = {}) =>
  spell(await shortContext({}, ids(text), { ...options, ...given }));

const [a, b, c] = ["aaaaaaaa", "bbbbbbbb", "cccccccc"];

test("keeps the beginning, the end, and the parts that are like the end, in their order", async () => {
  expect(await shorten(`ee${a}${b}${c}${a}${b}aabbaabb`)).toBe(`ee${a}${b}aabbaabb`);
  expect(await shorten(`ee${c}${b}${c}${a}${c}aabbaabb`)).toBe(`ee${b}${a}aabbaabb`);
});

test("keeps the first and the last part where none is like the end", async () => {
  expect(await shorten(`ee${a}${b}${c}dddddddd`)).toBe(`ee${a}${c}dddddddd`);
});

test("a prompt that is short already stays as it is", async () => {
  expect(await shorten(`ee${a}${b}dddddddd`)).toBe(`ee${a}${b}dddddddd`);
});

test("parts end at line ends where the tokens' bytes are known", async () => {
  // "e" ends a line here: the second part begins behind it.
  const bytes = {
    tokenBytes: async (tokens: readonly number[]) =>
      tokens.map((t) => Uint8Array.of(t === ids("e")[0] ? 10 : 65)),
  };
  const text = ids(`ddaaaaaebbbbbbbbccccccccccbbbbcbbb`);
  const kept = await shortContext(bytes, text, { ...options, context: 8 });
  expect(spell(kept)).toBe("ddbbbbbbbbbbbbcbbb");
});

test("drafts from the short text, with coins and positions of the long one", async () => {
  const prompt = `ee${c}${b}${c}${a}${c}aabbaabb`;
  const target = letterModel(1);
  const draft = letterModel(2);
  const settings = { draws: "top" as const, head: 64 };
  const short = (
    await rapid.open({ target, draft }, rapid.schema.parse({ ...options, ...settings, context: 16 }))
  ).begin(ids(prompt));
  const { tree, usage } = await short.propose(draftRequest(`${prompt}cd`, { depth: 1 }));
  // The laws of these models depend on two letters alone, so a shorter text drafts the same.
  const long = (await model.open({ target, draft }, settings)).begin(ids(prompt));
  expect(paths(tree)).toEqual(paths((await long.propose(draftRequest(`${prompt}cd`, { depth: 1 }))).tree));
  expect(usage!.prefillTokens).toBe(2 + 16 + 8 + 2);
  const coupled = (await rapid.open({ target, draft }, rapid.schema.parse(options))).begin(ids(prompt));
  const other = (await model.open({ target, draft }, { draws: "coupled", head: 64 })).begin(ids(prompt));
  for (let seed = 0; seed < 10; seed++) {
    const request = draftRequest(`${prompt}cd`, {
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, seed },
    });
    expect(paths((await coupled.propose(request)).tree)).toEqual(paths((await other.propose(request)).tree));
  }
  for (const session of [short, long, coupled, other]) session.drop();
  expect(draft.liveBranches).toBe(0);
});

test("the target drafts for itself where there is no draft model", async () => {
  const target = alphabetModel();
  const session = (await rapid.open({ target }, rapid.schema.parse({}))).begin(ids("ab"));
  expect(paths((await session.propose(draftRequest("ab", { depth: 2 }))).tree)).toEqual(["c", "cd"]);
  session.drop();
  expect(target.liveBranches).toBe(0);
});
