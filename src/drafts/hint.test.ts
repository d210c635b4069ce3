import { expect, test } from "vitest";
import { draftRequest, ids, letterModel, paths } from "../testing/draft-world.js";
import hint from "./hint.js";

const target = letterModel(1);

async function drafted(text: string, options: Parameters<typeof draftRequest>[1], given = {}) {
  const opened = await hint.open({ target }, hint.schema.parse(given));
  const { tree } = await opened.begin([]).propose(draftRequest(text, options));
  return { paths: paths(tree), origins: [...new Set(tree.nodes.map(({ origin }) => origin))] };
}

const hints = [ids("cdeab")];

test("drafts the hint from where the writing began, and what is left of it", async () => {
  expect((await drafted("ab", { start: 2, hints })).paths).toEqual(["c", "cd", "cde", "cdea"]);
  expect((await drafted("abcd", { start: 2, hints })).paths).toEqual(["e", "ea", "eab"]);
});

test("goes on behind the words that agree again after a difference", async () => {
  const { paths, origins } = await drafted("abbbde", { start: 2, hints });
  expect(paths).toEqual(["a", "ab"]);
  expect(origins).toEqual(["hint"]);
});

test("hands over to the other drafter where the hint has ended or says nothing", async () => {
  const ended = await drafted("abcdeab", { start: 2, hints, depth: 2 });
  expect(ended).toEqual({ paths: ["c", "cd"], origins: ["lookup"] });
  const without = await drafted("abcab", { start: 5, hints: [], depth: 1 });
  expect(without).toEqual({ paths: ["c"], origins: ["lookup"] });
});

test("several hints are one tree", async () => {
  const both = await drafted("ab", { start: 2, hints: [ids("cd"), ids("ce")] });
  expect(both.paths).toEqual(["c", "cd", "ce"]);
});

test("the draft model speaks next where there is one, or whoever was named", async () => {
  const opened = await hint.open({ target, draft: letterModel(2) }, hint.schema.parse({}));
  const session = opened.begin([]);
  const { tree } = await session.propose(draftRequest("ab", { depth: 1 }));
  expect(tree.nodes[0]!.origin).toBe("model");
  session.drop();
  expect((await drafted("abcab", { depth: 1 }, { fallback: "suffix" })).origins).toEqual(["suffix"]);
});
