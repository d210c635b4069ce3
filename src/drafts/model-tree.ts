import { z } from "zod";
import { defineDrafter } from "../core/speculation.js";
import { kindsOf } from "./shared/draws.js";
import { headOption, temperatureOption, treeDraws } from "./shared/options.js";
import { openReader } from "./shared/reader-sessions.js";
import { neededDraft } from "./shared/resources.js";
import { type Shoot, TreeGrower } from "./shared/tree-grower.js";

export default defineDrafter({
  name: "model-tree",
  essence: "a tree of the draft model's draws, with so many children at each depth",
  source:
    "Miao et al., SpecInfer, arXiv 2305.09781; without replacement: Jeon et al., Recursive Speculative Decoding, arXiv 2402.14160, variant C",
  shape: "tree",
  proposals: ["independent", "without-replacement", "point"],
  needsDraft: true,
  cost: "one pass of the draft model per depth, over all nodes of the layer before",
  use: "temperatures above 0 where the draft is often second best, and a target that reads a few tokens for the price of one",
  schema: z.object({
    branching: z
      .string()
      .regex(/^[1-9]\d?([+][1-9]\d?)*$/, "write numbers from 1 to 99 with + between them")
      .default("3+2+1")
      .describe("children of each node at each depth; the last holds for all deeper ones"),
    ...treeDraws,
    ...temperatureOption,
    ...headOption,
  }),
  async open(resources, { branching, ...options }) {
    const model = neededDraft(resources, "model-tree");
    const widths = branching.split("+").map(Number);
    return openReader(model, kindsOf[options.draws], async (reader, request) => {
      const grower = new TreeGrower(reader, request, { ...options, origin: "model-tree" }, model.endTokens);
      const first = await grower.begin();
      for (let layer = first ? [first] : [], depth = 0; layer.length > 0; depth++) {
        const width = widths[Math.min(depth, widths.length - 1)]!;
        const shoots: Shoot[] = [];
        for (const sprout of layer) {
          for (let child = 0; child < width; child++) {
            const shoot = grower.draw(sprout);
            if (shoot) shoots.push(shoot);
          }
        }
        if (grower.isFull || grower.stopsAfter(shoots)) break;
        layer = await grower.expand(shoots.slice(0, grower.room));
      }
      return grower.tree;
    });
  },
});
