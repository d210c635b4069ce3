import { expect, test } from "vitest";
import type { SparseLaw } from "../core/sparse-law.js";
import type { Token } from "../core/step.js";
import {
  alphabetModel,
  chiSquare,
  draftRequest,
  ids,
  paths,
  sampled,
  verified,
} from "../testing/draft-world.js";
import jacobi from "./jacobi.js";

const open = async (options: Record<string, unknown> = {}) =>
  (await jacobi.open({ target: alphabetModel() }, jacobi.schema.parse(options))).begin([]);

const rowOf = (text: string) => ids(text).map((token, rank) => ({ token, logprob: -0.5 - rank }));
/** Rows after the text and after nodes 0, 1, 2, 3: all two letters, told apart by their first. */
const rows = ["ab", "bc", "cd", "de", "ea"];
const row = (node: number) => rowOf(rows[node + 1]!);

test("begins with what followed before, else with the last token again", async () => {
  const request = draftRequest("abcdeab", { depth: 3 });
  expect(paths((await (await open()).propose(request)).tree)).toEqual(["c", "cd", "cde"]);
  expect(paths((await (await open({ start: "repeat" })).propose(request)).tree)).toEqual(["b", "bb", "bbb"]);
  const { tree } = await (await open({ window: 2 })).propose(draftRequest("ab"));
  expect(paths(tree)).toEqual(["b", "bb"]);
  expect(tree.nodes.every(({ proposal }) => proposal.kind === "point")).toBe(true);
});

test("guesses anew from the old window's rows behind the refused guess", async () => {
  const session = await open();
  const { tree } = await session.propose(draftRequest("ab", { depth: 4 }));
  // One guess accepted, the second replaced by "e": the next places are those of the rows after nodes 1, 2 and 3.
  session.learn?.(verified(tree, ids("ab"), [0], ids("e")[0]!, row));
  const text = [...ids("ab"), tree.nodes[0]!.token, ...ids("e")];
  const sampling = { ...sampled, temperature: 0 };
  const next = await session.propose(draftRequest(text, { depth: 4, sampling }));
  expect(paths(next.tree).at(2)).toBe("cde");
  const fork = session.fork();
  expect(paths((await fork.propose(draftRequest(text, { depth: 3, sampling }))).tree)).toEqual([
    "c",
    "cd",
    "cde",
  ]);
  // A text that is not the one that was left has no window.
  const other = await session.propose(draftRequest("abc", { depth: 1, sampling }));
  expect(paths(other.tree)).toEqual(["c"]);
  expect(other.tree.nodes[0]!.proposal.kind).toBe("point");
});

test("redrawn guesses have the laws they tell, and are independent of each other", async () => {
  const session = await open();
  const { tree } = await session.propose(draftRequest("ab", { depth: 4 }));
  session.learn?.(verified(tree, ids("ab"), [], ids("e")[0]!, row));
  const counts = [new Map<Token, number>(), new Map<number, number>()];
  const laws: SparseLaw[] = [];
  for (let seed = 0; seed < 4000; seed++) {
    const request = draftRequest("abe", { depth: 2, sampling: { ...sampled, temperature: 0.7, seed } });
    const [one, two] = (await session.propose(request)).tree.nodes;
    expect(one!.proposal.kind).toBe("independent");
    laws[0] = (one!.proposal as { law: SparseLaw }).law;
    laws[1] = (two!.proposal as { law: SparseLaw }).law;
    counts[0]!.set(one!.token, (counts[0]!.get(one!.token) ?? 0) + 1);
    const pair = laws[0].tokens.indexOf(one!.token) * 2 + laws[1].tokens.indexOf(two!.token);
    counts[1]!.set(pair, (counts[1]!.get(pair) ?? 0) + 1);
  }
  expect(laws[0]!.tokens).toEqual(ids("bc"));
  expect(chiSquare(counts[0]!, laws[0]!)).toBeLessThan(8);
  const product = laws[0]!.probabilities.flatMap((p) => laws[1]!.probabilities.map((q) => p * q));
  expect(chiSquare(counts[1]!, { tokens: [0, 1, 2, 3], probabilities: product })).toBeLessThan(5);
});

test("a window that was all accepted begins anew", async () => {
  const session = await open();
  const { tree } = await session.propose(draftRequest("ab", { depth: 4 }));
  const block = verified(tree, ids("ab"), [0, 1, 2, 3], ids("e")[0]!, row);
  session.learn?.(block);
  const next = await session.propose(draftRequest([...ids("ab"), ...block.written], { depth: 2 }));
  expect(next.tree.nodes.every(({ proposal }) => proposal.kind === "point")).toBe(true);
});
