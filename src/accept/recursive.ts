import { z } from "zod";
import { defineRule } from "../core/speculation.js";
import { pipeline } from "./shared/pipeline.js";

export default defineRule({
  name: "recursive",
  essence:
    "rejection sampling over all drafts of a place, drawn with or without replacement, or fixed ones among them",
  source: "Jeon et al. 2024 (recursive rejection sampling); card recursive-speculative-decoding",
  lossless: true,
  proposals: ["point", "independent", "without-replacement"],
  schema: z.object({}),
  open: () => pipeline({}),
});
