/** The writer's own token probabilities as a reward: computed anyway, so the score is free. */
import { z } from "zod";
import { type Certainty, certainties, certainty } from "./certainty.js";
import { createFreeReward } from "./free-reward.js";
import { defineRewardKind } from "./kind.js";
import { openStatisticsHead } from "./statistics-head.js";

/** What may be asked of a step's certainty, by name. */
export const certaintyNames = Object.keys(certainties) as [Certainty, ...Certainty[]];

export default defineRewardKind({
  name: "confidence",
  essence: "the step's own token probabilities, as its writer gave them: no model is read",
  source: "measured here, on the lab pair: LOG.md; card process-reward-models",
  model: "optional",
  schema: z.strictObject({
    feature: z
      .enum(certaintyNames)
      .default("least")
      .describe(
        "least token probability; mean: geometric mean; product: of the whole step; entropy: e to the minus greatest entropy",
      ),
    head: z
      .string()
      .min(1)
      .optional()
      .describe("file with a calibrated combination of statistics, made for the model that writes"),
  }),
  presets: {},
  resources: (model, { head }) => [
    ...(model === "" ? [] : [model]),
    ...(head === undefined ? [] : [model === "" ? "draft" : model, head]),
  ],
  async open(name, model, { feature, head }, context) {
    if (head === undefined) {
      return createFreeReward({
        name,
        essence: `certainty of the step's writer (${feature})`,
        readsFigures: true,
        score: (step) => certainty(feature, step),
      });
    }
    const writer = await context.openModel(model === "" ? "draft" : model);
    const calibrated = await openStatisticsHead(head, writer, context);
    return createFreeReward({
      name,
      essence: `certainty of ${writer.name}, calibrated`,
      readsFigures: true,
      async score(step) {
        // Says so where the writer gave no probabilities.
        certainty("least", step);
        return calibrated.apply(step);
      },
    });
  },
});
