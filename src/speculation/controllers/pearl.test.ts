import { describe, expect, it } from "vitest";
import { z } from "zod";
import { DraftTree, pointProposal } from "../../core/draft-tree.js";
import { keyedUniform } from "../../core/random.js";
import { type DraftRequest, defineDrafter } from "../../core/speculation.js";
import { alphabetModel, ids } from "../../testing/draft-world.js";
import { speculate } from "../speculate.js";

/** Drafts of the alphabet, right with a given probability, each place by a coin of its own. */
function drafterThatIsRight(acceptance: number) {
  const next = (token: number) => ids("abcde")[(ids("abcde").indexOf(token) + 1) % 5]!;
  const session = {
    async propose({ tokens, depth }: DraftRequest) {
      const tree = new DraftTree();
      let last = tokens.at(-1)!;
      for (let index = 0; index < depth; index++) {
        const isRight = keyedUniform(1, "right", tokens.length + index, String(tokens.length)) < acceptance;
        const token = isRight ? next(last) : last;
        tree.add({ token, parent: index - 1, proposal: pointProposal, origin: "test" });
        last = token;
      }
      return { tree };
    },
    fork: () => session,
    drop() {},
  };
  return defineDrafter({
    ...{ name: "test", essence: "", source: "", cost: "", use: "" },
    ...{ shape: "chain", proposals: ["point"], needsDraft: false, schema: z.object({}) },
    open: async () => ({ topK: 0, begin: () => session }),
  });
}

/** Tokens per pass of the target over a long text. */
async function tokensPerRound(acceptance: number, block: number): Promise<number> {
  const target = alphabetModel({ size: { context: 1e6 } });
  const model = await speculate(target, {
    drafter: drafterThatIsRight(acceptance),
    controller: `pearl?block=${block}`,
  });
  await using branch = await model.open("a");
  const calls = target.stage.calls;
  const tokens = 6000;
  await branch.extend({
    ...{ splitter: { kind: "none" }, maxTokens: tokens, key: "k" },
    sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 },
  });
  // A pass and the handing over of its last token are two calls each.
  return tokens / ((target.stage.calls - calls) / 2);
}

/** Card pearl, analysis: with independent acceptance a and blocks of g. */
function expected(a: number, g: number): number {
  const post = a / (a + 1 - a ** g);
  return 1 - post + (post * (1 - a ** g)) / (1 - a);
}

describe("pearl", () => {
  it.each([
    [0.8, 4],
    [0.5, 3],
    [0.95, 6],
  ])("writes as many tokens per round as the analysis says: acceptance %d, blocks of %d", async (a, g) => {
    expect(Math.abs((await tokensPerRound(a, g)) / expected(a, g) - 1)).toBeLessThan(0.03);
  });

  it("writes one token a round with blocks of one, and a block a round where all drafts are right", async () => {
    expect(await tokensPerRound(0.7, 1)).toBeCloseTo(1, 2);
    expect(await tokensPerRound(1, 5)).toBeGreaterThan(4.9);
  });

  it("refuses trees", async () => {
    const draft = alphabetModel();
    const tree = speculate(alphabetModel(), { drafter: "model-tree", draft, controller: "pearl" });
    await expect(tree).rejects.toThrow(/chains/);
  });
});
