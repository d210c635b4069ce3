import { z } from "zod";
import { defineRule } from "../core/speculation.js";
import { pipeline, refuseProposal } from "./shared/pipeline.js";
import { testInOrder } from "./shared/test-in-order.js";

export default defineRule({
  name: "multi-round",
  essence:
    "rejection sampling over independent drafts, one after the other, each on what the ones before left of p",
  source: "Miao et al. 2024 (SpecInfer); card speculative-sampling, D",
  lossless: true,
  proposals: ["point", "independent"],
  schema: z.object({}),
  open: () =>
    pipeline({
      test(place) {
        const other = place.children.find(({ proposal }) => proposal.kind === "without-replacement");
        return other ? refuseProposal("multi-round", other, "use the rule recursive") : testInOrder(place);
      },
    }),
});
