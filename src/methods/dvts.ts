import { z } from "zod";
import { beamSearch } from "../core/beam-search.js";
import { bestChains } from "../core/chains.js";
import { defineMethod } from "../core/method.js";
import { aggregations } from "../core/reward.js";
import { samplingOptions } from "../core/sampling-options.js";

export default defineMethod({
  name: "dvts",
  essence: "independent trees, each kept greedily by the reward; the best of their answers is taken",
  kind: "search",
  source:
    "Beeching, Tunstall, Rush, Scaling test-time compute with open models (2024), diverse verifier tree search",
  needs: { draft: ["text"], reward: true },
  cost: "trees x expand times the answer's tokens written, as many reward passes per step",
  use: "in place of a wide beam: its trees cannot all collapse onto one early step that the reward overrates",
  schema: z.object({
    trees: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("trees that are searched side by side")
      .meta({ width: true }),
    expand: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("next steps written before a tree keeps one")
      .meta({ width: true }),
    aggregation: z
      .enum(aggregations)
      .default("last")
      .describe("one number for an answer from the rewards of its steps, to choose among the trees"),
    ...samplingOptions,
  }),
  async run(search, { trees, aggregation, ...options }) {
    const alone = trees === 1;
    const found = await Promise.all(
      Array.from({ length: trees }, () =>
        beamSearch(search, { ...options, width: 1, aggregation: "last" }, { alone }),
      ),
    );
    return search.finish(bestChains(found, aggregation, 1)[0]!.node);
  },
});
