import { z } from "zod";
import { defineRule } from "../core/speculation.js";
import { pipeline } from "./shared/pipeline.js";
import { testInOrder } from "./shared/test-in-order.js";

export default defineRule({
  name: "rejection",
  essence:
    "accept a draft with probability min(1, p/q), else write from what q leaves of p; the first draft of a place only",
  source: "Leviathan et al. 2023; Chen et al. 2023; card speculative-sampling, A",
  lossless: true,
  proposals: ["point", "independent", "without-replacement"],
  schema: z.object({}),
  open: () => pipeline({ test: (place) => testInOrder({ ...place, children: place.children.slice(0, 1) }) }),
});
