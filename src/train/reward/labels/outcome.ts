/** The baseline: every step inherits the verdict on the final answer. */
import { z } from "zod";
import { defineLabelSource, labeller, noLabelUsage } from "./label-source.js";

export default defineLabelSource({
  name: "outcome",
  essence: "every step of an answer that ends right is right, every step of another is wrong; free",
  source: "Cobbe et al., Training Verifiers to Solve Math Word Problems, arXiv 2110.14168",
  exactness: 1,
  needs: [],
  schema: z.strictObject({}),
  open: async () =>
    labeller(async ({ steps, right }) => ({ values: steps.map(() => (right ? 1 : 0)), usage: noLabelUsage })),
});
