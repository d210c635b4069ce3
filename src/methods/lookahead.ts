import { z } from "zod";
import { beamSearch } from "../core/beam-search.js";
import { defineMethod } from "../core/method.js";
import { aggregations } from "../core/reward.js";
import { samplingOptions } from "../core/sampling-options.js";
import type { Node, Search } from "../core/search.js";

export default defineMethod({
  name: "lookahead",
  essence: "a beam whose steps are valued by the reward of what they greedily lead to",
  kind: "search",
  source: "Snell et al., Scaling LLM Test-Time Compute, arXiv 2408.03314, section 5.2, lookahead search",
  needs: { draft: ["text"], reward: true },
  cost: "width x expand x (1 + ahead) steps written per step of the answer",
  use: "rewards that judge finished work better than beginnings; at equal tokens a plain beam is often ahead",
  schema: z.object({
    width: z.int().min(1).max(64).default(2).describe("prefixes kept after each step").meta({ width: true }),
    expand: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("next steps written after each prefix")
      .meta({ width: true }),
    ahead: z
      .int()
      .min(0)
      .max(100)
      .default(2)
      .describe("steps rolled out greedily to value a step; 0 is beam"),
    aggregation: z
      .enum(aggregations)
      .default("last")
      .describe("one number for a prefix from the values of its steps"),
    ...samplingOptions,
  }),
  async run(search, { ahead, ...options }) {
    const value = (nodes: readonly Node[]) => valueByRollout(search, nodes, ahead);
    return search.finish((await beamSearch(search, options, { value })).node);
  },
});

/** The rewards of where the steps greedily lead; the roll-outs are given up. */
async function valueByRollout(search: Search, nodes: readonly Node[], ahead: number): Promise<number[]> {
  const ends = [...nodes];
  for (let step = 0; step < ahead; step++) {
    const open = [...ends.keys()].filter((index) => !ends[index]!.finish);
    const written = await search.extendAll(
      open.map((index) => ({ node: ends[index]!, role: "draft" as const, sampling: { temperature: 0 } })),
    );
    for (const [at, index] of open.entries()) ends[index] = written[at]!;
  }
  const values = await search.scoreAll(ends);
  for (const [index, node] of nodes.entries()) {
    let first = ends[index]!;
    while (first !== node && first.parent !== node) first = first.parent!;
    if (first !== node) search.prune(first);
  }
  return values;
}
