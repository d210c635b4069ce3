import { expect, test } from "vitest";
import { alphabetModel, draftRequest, paths } from "../testing/draft-world.js";
import lookup from "./lookup.js";
import { earlierMatch } from "./shared/text-match.js";

async function draft(text: string, options: Partial<Parameters<typeof draftRequest>[1]> = {}, given = {}) {
  const opened = await lookup.open({ target: alphabetModel() }, lookup.schema.parse(given));
  const { tree } = await opened.begin([]).propose(draftRequest(text, options));
  expect(tree.nodes.every(({ proposal }) => proposal.kind === "point")).toBe(true);
  return paths(tree);
}

test("copies what followed the longest match, the latest of equal ones", async () => {
  expect(await draft("abcdeaabc")).toEqual(["d", "de", "dea", "deaa"]);
  expect(await draft("abcabdab")).toEqual(["d", "da", "dab"]);
  // Three tokens agree in the middle, two at the latest place.
  expect(await draft("cabebaabdcab", { depth: 1 })).toEqual(["e"]);
});

test("drafts nothing where too little agrees, and keeps to the limits", async () => {
  expect(await draft("abcde")).toEqual([]);
  expect(await draft("a")).toEqual([]);
  expect(await draft("")).toEqual([]);
  expect(await draft("abcdabc", {}, { shortest: 4 })).toEqual([]);
  expect(await draft("abcdabc", { depth: 1 })).toEqual(["d"]);
  expect(await draft("abcdeabc", { nodes: 2 })).toEqual(["d", "de"]);
});

test("a match may overlap the end: a loop is drafted on", async () => {
  expect(await draft("bababa")).toEqual(["b", "ba"]);
});

test("the match is what a plain search finds", () => {
  for (let seed = 0; seed < 300; seed++) {
    const tokens = Array.from(
      { length: 24 },
      (_, index) => Math.imul(seed + 1, index * index + 7 * index) & 3,
    );
    const expected = plainMatch(tokens, 5, 2);
    expect(earlierMatch(tokens, 5, 2)).toEqual(expected);
  }
});

function plainMatch(tokens: readonly number[], longest: number, shortest: number) {
  for (let length = Math.min(longest, tokens.length - 1); length >= shortest; length--) {
    const end = tokens.slice(-length).join();
    for (let at = tokens.length - 1; at >= length; at--) {
      if (tokens.slice(at - length, at).join() === end) return { end: at, length };
    }
  }
  return null;
}
