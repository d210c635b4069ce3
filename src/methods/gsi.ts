import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { Node, Search, Writer } from "../core/search.js";
import { drawIndex, softmax } from "../core/weights.js";

const schema = z.object({
  drafts: z.int().min(1).max(64).default(4).describe("draft steps sampled per round").meta({ width: true }),
  rewrites: z.int().min(1).max(64).default(4).describe("target steps sampled where the draft's is refused"),
  beta: z
    .number()
    .gt(0)
    .max(1000)
    .default(20)
    .describe("how much a reward counts against the models' own laws"),
  threshold: z
    .number()
    .min(-100)
    .max(100)
    .default(0.5)
    .describe("keep the drawn draft step if its reward is above this"),
  tilted: z
    .boolean()
    .default(true)
    .describe(
      "the threshold is for reward + log(target's law / draft's law) / beta, not for the reward alone",
    ),
  giveUp: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("end the answer where no step's reward reaches this; the official code does at 0.1"),
  sampleTemperature: z.number().min(0).max(10).default(0.7).describe("temperature of every step"),
});

export default defineMethod({
  name: "gsi",
  essence:
    "a draft step is drawn by its reward and by how much likelier the target finds it; else the target samples",
  kind: "step",
  source:
    "Geuter et al., Guided Speculative Inference, arXiv 2506.04118, algorithm 1; laws taken at temperature 1",
  needs: { draft: ["text", "logprobs"], target: ["text", "likelihood"], reward: true },
  cost: "drafts steps per step written, scored and read by the target; rewrites more where they are refused",
  use: "sampling close to the target's own law under a reward, where a target read of every draft step is affordable",
  schema,
  async run(search, options) {
    const { beta, threshold, tilted, giveUp } = options;
    const sampling = { temperature: options.sampleTemperature };
    const write = (node: Node, role: Writer, count: number) =>
      search.extendAll(Array.from({ length: count }, () => ({ node, role, sampling })));
    let node = search.root;
    while (!node.finish) {
      const drafts = await write(node, "draft", options.drafts);
      const [rewards, likelihoods] = await Promise.all([
        search.scoreAll(drafts),
        search.likelihoodAll(drafts, "target"),
      ]);
      if (Math.max(...rewards) < giveUp) break;
      const ratios = drafts.map(({ step }, index) => sum(likelihoods[index]!) - sum(step!.logprobs));
      const guided = rewards.map((reward, index) => reward + ratios[index]! / beta);
      const drawn = draw(search, node, guided, beta);
      if ((tilted ? guided : rewards)[drawn]! > threshold) {
        node = search.commit(drafts[drawn]!);
        continue;
      }
      for (const draft of drafts) search.prune(draft);
      const steps = await write(node, "target", options.rewrites);
      const again = await search.scoreAll(steps);
      if (Math.max(...again) < giveUp) break;
      node = search.commit(steps[draw(search, node, again, beta, "rewrite")]!);
    }
    return search.finish(node);
  },
});

/** Soft best-of-n: index i with probability proportional to exp(beta x value). */
function draw(
  search: Search,
  node: Node,
  values: readonly number[],
  beta: number,
  purpose = "draft",
): number {
  return drawIndex(softmax(values.map((value) => beta * value)), search.uniform(node, `gsi:${purpose}`));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
