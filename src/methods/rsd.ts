import { z } from "zod";
import { defineMethod } from "../core/method.js";

const schema = z.object({
  weight: z
    .enum(["step", "clip", "sigmoid", "logistic", "constant"])
    .default("step")
    .describe("how a reward becomes the probability of keeping the draft's step"),
  threshold: z
    .union([z.number().min(0).max(2), z.literal("auto")])
    .default(0.7)
    .describe(
      "reward at which step keeps and logistic keeps half the time; above 1 step keeps nothing; auto is what the reward advises, lowered to what a limit of target tokens still allows",
    ),
  alpha: z
    .number()
    .min(0)
    .max(1000)
    .default(10)
    .describe("steepness of logistic; the paper states no value, 10 is our assumption"),
  probability: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("how often constant keeps, whatever the reward"),
  candidates: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe("draft steps sampled per round, of which the best is judged; they differ above temperature 0")
    .meta({ width: true }),
});

export default defineMethod({
  name: "rsd",
  essence: "the draft writes a step, the reward judges it, the target rewrites the weak ones",
  kind: "step",
  source: "Liao et al., Reward-Guided Speculative Decoding, ICML 2025, arXiv 2501.19324, section 3",
  needs: { draft: ["text"], target: ["text"], reward: true },
  cost: "the answer's tokens written by the draft and scored; the target reads and writes for the weak steps alone",
  use: "a draft that is right in most steps, and a reward that costs less than the target and sees the others",
  schema,
  asksAdvice: ({ threshold }) => threshold === "auto",
  async run(search, options) {
    const isAdvised = options.threshold === "auto";
    let node = search.root;
    while (!node.finish) {
      const requests = Array.from({ length: options.candidates }, () => ({ node, role: "draft" as const }));
      const drafts = await search.extendAll(requests);
      const rewards = await search.scoreAll(drafts);
      const reward = Math.max(...rewards);
      const best = drafts[rewards.indexOf(reward)]!;
      const threshold =
        options.threshold === "auto" ? await search.threshold(node, "target") : options.threshold;
      // Advice falls to 0 when the target may write no more: what it cannot rewrite is kept, by whatever weight.
      const isKept = isAdvised && threshold === 0;
      if (search.coin(best, isKept ? 1 : weigh(reward, threshold, options))) {
        node = search.commit(best);
        continue;
      }
      for (const draft of drafts) search.prune(draft);
      node = search.commit(await search.extend(node, { role: "target", handsOver: isAdvised }));
    }
    return search.finish(node);
  },
});

/** The probability of keeping a step of this reward: omega(r) of the paper. */
export function weigh(reward: number, threshold: number, options: z.output<typeof schema>): number {
  switch (options.weight) {
    case "step":
      return reward >= threshold ? 1 : 0;
    case "clip":
      return Math.min(1, Math.max(0, reward));
    case "sigmoid":
      return Math.max(0, reward / (1 + reward));
    case "logistic":
      return 1 / (1 + Math.exp(-options.alpha * (reward - threshold)));
    case "constant":
      return options.probability;
  }
}
