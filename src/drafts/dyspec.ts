import { z } from "zod";
import { defineDrafter } from "../core/speculation.js";
import { kindsOf } from "./shared/draws.js";
import { growAbove, growGreedily } from "./shared/dynamic-tree.js";
import { headOption, temperatureOption } from "./shared/options.js";
import { openReader } from "./shared/reader-sessions.js";
import { neededDraft } from "./shared/resources.js";
import { TreeGrower } from "./shared/tree-grower.js";

export default defineDrafter({
  name: "dyspec",
  essence: "a tree that grows where the draft model's own probabilities promise the most accepted tokens",
  source: "Xiong et al., DySpec, arXiv 2410.11744",
  shape: "tree",
  proposals: ["without-replacement", "point"],
  needsDraft: true,
  cost: "threshold: one pass of the draft model per depth; greedy: one per node that gets a child",
  use: "as model-tree, where sure places and unsure ones alternate",
  schema: z.object({
    builder: z
      .enum(["threshold", "greedy"])
      .default("threshold")
      .describe(
        "greedy draws the best place next; threshold draws, layer by layer, at all places good enough",
      ),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        "least estimate of a place that is drawn at, for the threshold builder; 0 is one over the nodes",
      ),
    ...temperatureOption,
    ...headOption,
  }),
  async open(resources, { builder, threshold, ...options }) {
    const model = neededDraft(resources, "dyspec");
    const settings = { ...options, draws: "without-replacement", origin: "dyspec" } as const;
    return openReader(model, kindsOf["without-replacement"], () => ({
      async propose(reader, request) {
        const grower = new TreeGrower(reader, request, settings, model.endTokens);
        const first = await grower.begin();
        if (first && builder === "greedy") await growGreedily(grower, first);
        else if (first) await growAbove(threshold || 1 / request.nodes, grower, first);
        return grower.tree;
      },
    }));
  },
});
