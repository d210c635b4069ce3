import { describe, expect, test } from "vitest";
import { greedy, type ReadTreeOptions } from "../core/model.js";
import { blankLine } from "../core/step.js";
import { ScriptedModel } from "./scripted.js";

const pieces = ["A", "B", "C"];
/** A law that depends on the last token written. */
const laws: Record<string, number[]> = {
  "": [0.5, 0.3, 0.2],
  A: [0.1, 0.6, 0.3],
  B: [0.7, 0.1, 0.2],
  C: [0.25, 0.25, 0.5],
};
const model = () =>
  new ScriptedModel({
    pieces,
    law: {
      tokens: ({ text }) =>
        pieces.map((piece, index) => ({ text: piece, probability: laws[text.slice(-1)]![index]! })),
    },
  });
const [a, b, c] = [257, 258, 259];
const sampling = { ...greedy, temperature: 1, seed: 5 };
const options = (ask: number[][], more: Partial<ReadTreeOptions> = {}): ReadTreeOptions => ({
  sampling,
  key: "k",
  ask,
  ...more,
});
const written = { splitter: { kind: "none" }, maxTokens: 1, key: "k" } as const;

describe("a tree beside a scripted branch", () => {
  test("tells the exact law after the branch's end and after each node", async () => {
    await using branch = await model().open("?");
    const tree = [
      { token: a, parent: -1 },
      { token: b, parent: -1 },
      { token: c, parent: 0 },
    ];
    const { rows } = await branch.readTree(tree, options([[a, b, c], [b], [], [a, b]], { topK: 2 }));
    expect(rows[0]!.probabilities).toEqual([0.5, 0.3, 0.2]);
    expect(rows[0]!.outside).toBeNull();
    expect(rows[1]!.probabilities).toEqual([0.6]);
    expect([a, c]).toContain(rows[1]!.outside!.token);
    expect(rows[2]!.probabilities).toEqual([]);
    expect(rows[3]!.probabilities).toEqual([0.25, 0.25]);
    expect(rows[3]!.outside).toEqual({ token: c, logprob: Math.log(0.5) });
    expect(rows[2]!.topK).toEqual([
      { token: a, logprob: Math.log(0.7) },
      { token: c, logprob: Math.log(0.2) },
    ]);
  });

  test("draws what extend would write at every node, at any temperature", async () => {
    for (const temperature of [0, 0.6, 1]) {
      for (let seed = 0; seed < 20; seed++) {
        const warm = { ...sampling, temperature, topK: 2, seed };
        await using branch = await model().open("?");
        const tree = [
          { token: a, parent: -1 },
          { token: c, parent: 0 },
        ];
        const { rows } = await branch.readTree(tree, options([[], [], []], { sampling: warm }));
        for (const [index, before] of [[], [a], [a, c]].entries()) {
          const plain = branch.fork();
          if (before.length > 0) {
            const { vocabulary } = branch.model;
            await plain.append({ text: "", tokens: before, vocabulary });
          }
          const { tokens, logprobs } = await plain.extend({ ...written, sampling: warm });
          expect(rows[index]!.draw).toEqual({ token: tokens[0], logprob: logprobs[0] });
        }
      }
    }
  });

  test("keeps a path as if it had been written, and pays every pass once", async () => {
    await using branch = await model().open("?");
    const tree = [
      { token: a, parent: -1 },
      { token: b, parent: 0 },
      { token: c, parent: 0 },
    ];
    const { usage } = await branch.readTree(tree, options([[], [], [], []]));
    expect(usage).toMatchObject({ prefillTokens: 1 + 3, decodeTokens: 0, recomputedTokens: 0 });
    branch.keep(2);
    expect(branch.length).toBe(3);
    const kept = await branch.append("", { topK: 3, tokens: [c] });
    expect(kept.usage.prefillTokens).toBeLessThanOrEqual(1);
    expect(kept.tokens).toEqual([Math.log(0.5)]);
  });

  test("keeps nothing for -1, and the next call drops the tree", async () => {
    await using branch = await model().open("?");
    const tree = [{ token: a, parent: -1 }];
    await branch.readTree(tree, options([[], []]));
    branch.keep(-1);
    expect(branch.length).toBe(1);
    await branch.readTree(tree, options([[], []]));
    await branch.extend({ ...written, splitter: blankLine, sampling });
    expect(() => branch.keep(0)).toThrow("no tree is read");
  });

  test("refuses a node before its parent, and lists of tokens for other rows", async () => {
    await using branch = await model().open("?");
    await expect(branch.readTree([{ token: a, parent: 0 }], options([[], []]))).rejects.toThrow("hangs on 0");
    await expect(branch.readTree([{ token: a, parent: -1 }], options([[]]))).rejects.toThrow(
      "lists of tokens",
    );
  });

  test("tells the bytes of tokens; the end token has none", async () => {
    const bytes = await model().tokenBytes([a, 65, 256]);
    expect(bytes.map((one) => [...one])).toEqual([[65], [65], []]);
  });
});
