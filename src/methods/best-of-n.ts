import { z } from "zod";
import { bestChains, type Chain, growChains } from "../core/chains.js";
import { defineMethod } from "../core/method.js";
import { aggregate, aggregations } from "../core/reward.js";
import { samplingOf, samplingOptions } from "../core/sampling-options.js";
import { offerBest } from "../core/survivors.js";
import { groupByAnswer } from "../core/vote.js";

export default defineMethod({
  name: "best-of-n",
  essence: "several whole answers are sampled, the one of greatest reward is taken",
  kind: "step",
  source: "Liu et al., Bag of Tricks, arXiv 2502.07191, best-of-N and weighted self-consistency",
  needs: { draft: ["text"], reward: true },
  cost: "n times an answer's tokens written, a reward pass for every step",
  use: "the baseline of all search: parallel, simple, and hard to beat while the reward is sound",
  schema: z.object({
    samples: z.int().min(1).max(256).default(8).describe("answers written side by side"),
    aggregation: z
      .enum(aggregations)
      .default("last")
      .describe("one number for an answer from the rewards of its steps"),
    choose: z
      .enum(["best", "weighted"])
      .default("best")
      .describe("the best answer, or the best member of the group of equal answers with the greatest sum"),
    ...samplingOptions,
  }),
  async run(search, { samples: count, aggregation, choose, ...sampling }) {
    let chains = Array.from({ length: count }, (): Chain => ({ node: search.root, rewards: [] }));
    const merit = ({ rewards }: Chain) => aggregate(aggregation, rewards);
    while (chains.some(({ node }) => !node.finish)) {
      const open = [...chains.keys()].filter((index) => !chains[index]!.node.finish);
      const grown = await growChains(
        search,
        open.map((index) => {
          const chain = chains[index]!;
          return {
            chain,
            role: "draft",
            sampling: samplingOf(sampling, { index, count, depth: chain.node.depth }),
          };
        }),
      );
      chains = chains.map((chain, index) => grown[open.indexOf(index)] ?? chain);
      offerBest(
        search,
        chains.map((chain) => ({ node: chain.node, merit: merit(chain) })),
      );
    }
    const [best] = bestChains(chains, aggregation, 1);
    if (choose === "best") return search.finish(best!.node);
    const weights = normalised(chains.map(merit));
    const nodes = chains.map(({ node }) => node);
    const [group] = await groupByAnswer(search, nodes, weights);
    const members = chains.filter(({ node }) => group?.nodes.includes(node));
    return search.finish((bestChains(members, aggregation, 1)[0] ?? best!).node);
  },
});

/** From 0 for the least to 1 for the greatest; all 1 where all are equal. */
export function normalised(values: readonly number[]): number[] {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (greatest > least ? (value - least) / (greatest - least) : 1));
}
