import { z } from "zod";
import { type Child, defineRule, type Place } from "../core/speculation.js";
import { pipeline } from "./shared/pipeline.js";
import { testAgreement } from "./shared/test-agreement.js";

const schema = z.object({
  epsilon: z
    .number()
    .min(0)
    .max(1)
    .default(0.09)
    .describe("a draft of at least this probability is always typical; 1 with delta 1e9 is off"),
  delta: z
    .number()
    .min(0)
    .max(1e9)
    .default(0.3)
    .describe(
      "a draft is typical above this share of exp(-entropy): the surer the target, the more it asks for",
    ),
});

export default defineRule({
  name: "typical",
  essence: "agreement, and a draft is also kept where the target finds it likely for its own uncertainty",
  source:
    "Cai et al. 2024 (Medusa), typical acceptance; card feature-drafters; the likeliest draft of a place, not the longest path",
  lossless: false,
  proposals: ["point", "independent", "without-replacement"],
  schema,
  open: ({ epsilon, delta }) =>
    pipeline({
      test: testAgreement,
      rescue(place) {
        // The paper's rule is for sampling: greedy texts stay greedy.
        if (place.sampling.temperature === 0) return null;
        const threshold = Math.min(epsilon, delta * Math.exp(-place.row.entropy));
        return mostProbableChild(place, threshold);
      },
    }),
});

/** Of the drafts whose probability, at temperature 1, is above the threshold. */
function mostProbableChild({ row, asked, children }: Place, threshold: number): Child | null {
  let best: Child | null = null;
  let most = threshold;
  for (const child of children) {
    const probability = Math.exp(row.logprobs[asked.indexOf(child.token)]!);
    if (probability > most) [best, most] = [child, probability];
  }
  return best;
}
