import { z } from "zod";
import { beamSearch } from "../core/beam-search.js";
import { defineMethod } from "../core/method.js";
import { aggregations } from "../core/reward.js";
import { samplingOptions } from "../core/sampling-options.js";

export default defineMethod({
  name: "beam",
  essence: "the best few prefixes are kept, each is continued several ways",
  kind: "search",
  source:
    "Liu et al., Bag of Tricks, arXiv 2502.07191, beam search; Snell et al., arXiv 2408.03314, section 5.2",
  needs: { draft: ["text"], reward: true },
  cost: "width x expand times the answer's tokens written, as many reward passes per step",
  use: "hard questions under a reliable step reward; with a weak one it runs after the reward's mistakes",
  schema: z.object({
    width: z.int().min(1).max(64).default(4).describe("prefixes kept after each step").meta({ width: true }),
    expand: z
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("next steps written after each prefix")
      .meta({ width: true }),
    aggregation: z
      .enum(aggregations)
      .default("last")
      .describe("one number for a prefix from the rewards of its steps"),
    ...samplingOptions,
  }),
  async run(search, options) {
    return search.finish((await beamSearch(search, options)).node);
  },
});
