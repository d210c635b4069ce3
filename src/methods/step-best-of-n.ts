import { z } from "zod";
import { beamSearch } from "../core/beam-search.js";
import { defineMethod } from "../core/method.js";
import { samplingOptions } from "../core/sampling-options.js";

export default defineMethod({
  name: "step-best-of-n",
  essence: "several next steps are sampled, the one of greatest reward is kept",
  kind: "step",
  source: "Liu et al., Bag of Tricks, arXiv 2502.07191, step-level best-of-N",
  needs: { draft: ["text"], reward: true },
  cost: "n times the answer's tokens written, n reward passes per step",
  use: "a reward that tells good steps from bad ones, and memory for one prefix only",
  schema: z.object({
    samples: z
      .int()
      .min(1)
      .max(256)
      .default(4)
      .describe("next steps written before one is kept")
      .meta({ width: true }),
    ...samplingOptions,
  }),
  async run(search, { samples, ...sampling }) {
    const best = await beamSearch(search, { ...sampling, width: 1, expand: samples, aggregation: "last" });
    return search.finish(best.node);
  },
});
