import { describe, expect, test } from "vitest";
import { type ExtendOptions, greedy } from "../../core/model.js";
import { blankLine } from "../../core/step.js";
import type { Piece } from "./dialect.js";
import { endStandIn, Writing } from "./writing.js";

/** A token is a code point's byte, so that characters are spread over several. */
const vocabulary = {
  endTokens: new Set([0]),
  tokenize: async (text: string) => [...new TextEncoder().encode(text)],
  detokenize: async (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens)),
};

const options: ExtendOptions = { splitter: blankLine, maxTokens: 100, sampling: greedy, key: "" };

const tokens = (text: string) =>
  [...new TextEncoder().encode(text)].map((id) => ({ id, logprob: -0.1, entropy: 0 }));

async function written(pieces: readonly Piece[], more: Partial<ExtendOptions> = {}, most = 100) {
  const heard: string[] = [];
  const writing = new Writing({ ...options, ...more, onText: (text) => heard.push(text) }, most, vocabulary);
  for (const piece of pieces) await writing.take(piece);
  return { ...writing.result("v"), surplus: writing.surplus, heard: heard.join("") };
}

describe("an answer as it comes in", () => {
  test("a step that ends within a piece of many tokens is cut at its token, the rest is surplus", async () => {
    const step = await written([{ text: "é = 4.\n\nSo it", tokens: tokens("é = 4.\n\nSo it") }]);
    expect(step).toMatchObject({ text: "é = 4.\n\n", heard: "é = 4.\n\n", stop: "delimiter", surplus: 5 });
    expect(step.tokens).toHaveLength(9);
  });

  test("bytes that the server counted and did not show are found again", async () => {
    const last = tokens("東").at(-1)!;
    const step = await written([
      { text: "a", tokens: tokens("a"), count: 1 },
      { text: "東", tokens: [last], count: 4 },
      { text: "", tokens: [], count: 4, finish: "limit" },
    ]);
    expect(step.tokens).toEqual([97, ...tokens("東").map(({ id }) => id)]);
    expect(step).toMatchObject({ text: "a東", stop: "context" });
    expect(step.logprobs).toEqual([-0.1, 0, 0, -0.1]);
  });

  test("an end token ends, shown or not", async () => {
    const shown = await written([{ text: "", tokens: [{ id: 0, logprob: -0.5, text: "" }] }]);
    expect(shown).toMatchObject({ tokens: [0], stop: "end", logprobs: [-0.5] });
    const hidden = await written([{ text: "a", tokens: tokens("a"), finish: "end" }]);
    expect(hidden).toMatchObject({ text: "a", tokens: [97, endStandIn], stop: "end" });
  });

  test("a stop within the leading blank lines is no end of the step", async () => {
    const piece: Piece = { text: "\n\n", tokens: tokens("\n\n"), finish: "stop" };
    const step = await written([piece, { text: "a\n\n", tokens: tokens("a\n\n"), finish: "stop" }]);
    expect(step).toMatchObject({ text: "\n\na\n\n", stop: "delimiter" });
  });

  test("an uncertain token is not written", async () => {
    const doubtful = [
      { id: 97, text: "a", logprob: -0.1, entropy: 0.1 },
      { id: 98, text: "b", logprob: -1, entropy: 2 },
    ];
    const step = await written([{ text: "ab", tokens: doubtful }], {
      splitter: { kind: "entropy", limit: 1 },
    });
    expect(step).toMatchObject({ text: "a", tokens: [97], stop: "delimiter", surplus: 1 });
  });

  test("the caller's cap and the model's context are told apart", async () => {
    const piece = { text: "abc", tokens: [..."abc"].map((text) => ({ id: text.charCodeAt(0), text })) };
    expect(await written([piece], { maxTokens: 2 }, 2)).toMatchObject({
      text: "ab",
      stop: "cap",
      logprobs: [],
    });
    expect(await written([piece], {}, 2)).toMatchObject({ text: "ab", stop: "context" });
  });
});
