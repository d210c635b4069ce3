import { z } from "zod";
import { pointProposal } from "../core/draft-tree.js";
import { defineRule } from "../core/speculation.js";
import { pipeline } from "./shared/pipeline.js";
import { testInOrder } from "./shared/test-in-order.js";

export default defineRule({
  name: "point",
  essence: "accept a draft with probability p, whatever it was drawn from, else write from p without it",
  source: "card speculative-sampling, C",
  lossless: true,
  proposals: ["point", "independent", "without-replacement"],
  schema: z.object({}),
  open: () =>
    pipeline({
      test: (place) =>
        testInOrder({
          ...place,
          children: place.children.map((child) => ({ ...child, proposal: pointProposal })),
        }),
    }),
});
