import { expect, test } from "vitest";
import type { Node, Search } from "./search.js";
import { groupByAnswer } from "./vote.js";

/** Nodes are their own answers; "half" and "1/2" mean the same. */
const search = {
  answer: async (node: unknown) => (node === "?" ? null : node),
  sameAnswer: async (a: string, b: string) => a === b || [a, b].sort().join() === "1/2,half",
} as unknown as Search;
const nodes = (...texts: string[]) => texts as unknown as Node[];

test("answers that mean the same are counted together, the heaviest first, of equals the earliest", async () => {
  const groups = await groupByAnswer(search, nodes("3", "half", "?", "1/2", "4", "4"));
  expect(groups).toEqual([
    { answer: "half", nodes: ["half", "1/2"], weight: 2 },
    { answer: "4", nodes: ["4", "4"], weight: 2 },
    { answer: "3", nodes: ["3"], weight: 1 },
  ]);
});

test("weights count instead of heads", async () => {
  const [first] = await groupByAnswer(search, nodes("3", "4", "4"), [0.9, 0.4, 0.4]);
  expect(first).toMatchObject({ answer: "3", weight: 0.9 });
  expect(await groupByAnswer(search, nodes("?"))).toEqual([]);
});
