import { z } from "zod";
import { defineDrafter } from "../core/speculation.js";
import { kindsOf } from "./shared/draws.js";
import { headOption, temperatureOption } from "./shared/options.js";
import { openReader } from "./shared/reader-sessions.js";
import { neededDraft } from "./shared/resources.js";
import { type Shoot, type Sprout, TreeGrower } from "./shared/tree-grower.js";

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

/**
 * `estimate` is how likely the target's walk comes to this draw: the product of the draft's probabilities above, and of
 * the earlier siblings being refused. It is known before the token is, so choosing by it does not bias the law.
 */
type Place = { readonly estimate: number } & ({ readonly sprout: Sprout } | { readonly shoot: Shoot });

async function growGreedily(grower: TreeGrower, first: Sprout): Promise<void> {
  const open: Place[] = [{ estimate: 1, sprout: first }];
  while (!grower.isFull && open.length > 0) {
    const best = open.reduce((a, b) => (b.estimate > a.estimate ? b : a));
    open.splice(open.indexOf(best), 1);
    const [sprout] = "sprout" in best ? [best.sprout] : await grower.expand([best.shoot]);
    const shoot = sprout && grower.draw(sprout);
    if (!shoot) continue;
    open.push({ estimate: best.estimate * (1 - shoot.probability), sprout });
    if (grower.canGrow(shoot)) open.push({ estimate: best.estimate * shoot.probability, shoot });
  }
}

async function growAbove(threshold: number, grower: TreeGrower, first: Sprout): Promise<void> {
  let layer = [{ estimate: 1, sprout: first }];
  while (layer.length > 0) {
    const grown: { readonly estimate: number; readonly shoot: Shoot }[] = [];
    for (const { estimate, sprout } of layer) {
      let left = estimate;
      while (left >= threshold) {
        const shoot = grower.draw(sprout);
        if (!shoot) break;
        grown.push({ estimate: left * shoot.probability, shoot });
        left *= 1 - shoot.probability;
      }
    }
    const shoots = grown.map(({ shoot }) => shoot);
    if (grower.isFull || grower.stopsAfter(shoots)) return;
    const going = grown.filter(({ estimate, shoot }) => estimate >= threshold && grower.canGrow(shoot));
    const sprouts = await grower.expand(going.map(({ shoot }) => shoot));
    layer = sprouts.map((sprout, index) => ({ estimate: going[index]!.estimate, sprout }));
  }
}
