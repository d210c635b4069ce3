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
  cost: "one pass of the draft model per depth, over the nodes of the layer before",
  use: "temperatures above 0 where the draft's second or third choice is often right",
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
    return openReader(model, kindsOf[options.draws], () => ({
      async propose(reader, request) {
        const grower = new TreeGrower(reader, request, { ...options, origin: "model-tree" }, model.endTokens);
        const first = await grower.begin();
        for (let layer = first ? [first] : [], depth = 0; layer.length > 0; depth++) {
          const width = widths[Math.min(depth, widths.length - 1)]!;
          const shoots = layer.flatMap((sprout) =>
            Array.from({ length: width }, () => grower.draw(sprout)).filter((shoot) => shoot !== null),
          );
          if (grower.stopsAfter(shoots)) break;
          layer = await grower.expand(bestGrowing(grower, shoots));
        }
        return grower.tree;
      },
    }));
  },
});

/** As many as the tree has room for children of. */
function bestGrowing(grower: TreeGrower, shoots: readonly Shoot[]): Shoot[] {
  return shoots.filter((shoot) => grower.canGrow(shoot)).slice(0, grower.room);
}
