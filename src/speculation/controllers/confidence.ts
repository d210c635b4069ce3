import { z } from "zod";
import { defineController } from "../../core/speculation.js";
import { shapeOf, shapeOptions } from "./shape-options.js";

export default defineController({
  name: "confidence",
  essence: "drafts on while the drafter is sure of what it drafts",
  source: "llama.cpp's p-min (of one token) and its product over the chain; card specdec-plus-plus",
  schema: z.object({
    ...shapeOptions,
    depth: shapeOptions.depth.default(12).describe("most drafts in a row"),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("least probability; the draft that falls below it is the last"),
    cumulative: z
      .boolean()
      .default(true)
      .describe("of all drafts of the chain together, not of the last one alone"),
  }),
  open({ threshold, cumulative, ...options }, { shape }) {
    const plan = shapeOf(options);
    // In a tree the drafts before one another are not one chain.
    const multiplies = cumulative && shape === "chain";
    return {
      choose: () => plan,
      watch() {
        let product = 1;
        return ({ probability }) => {
          product = multiplies ? product * probability : probability;
          return product < threshold;
        };
      },
    };
  },
});
