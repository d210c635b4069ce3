/**
 * A step's probability under a model that did not write it: one read of the step, nothing is written. The model
 * sees the conversation as if it were answering itself, so its law is the one it would have written by.
 */
import { z } from "zod";
import { type Certainty, certainty } from "./certainty.js";
import { defineRewardKind } from "./kind.js";
import { LikelihoodChain } from "./likelihood-chain.js";
import { LikelihoodPrompt } from "./likelihood-prompt.js";
import { requireCapability, testQuestion, testSteps } from "./model-reward.js";
import { ReadingScorer } from "./reading-scorer.js";

const features = ["least", "mean", "product", "typical"] as const satisfies readonly Certainty[];

/** A step that no model wrote: only its text counts. */
const unwritten = {
  ...{ tokens: [], vocabulary: "", origin: "test", stop: "delimiter" as const },
  ...{ logprobs: [], entropies: [] },
};

export default defineRewardKind({
  name: "likelihood",
  essence: "the step's probability under a model that reads it",
  source:
    "measured here, on the lab pair: LOG.md; log-likelihood as a score: GSI (arXiv 2506.04118), section 4",
  schema: z.strictObject({
    feature: z
      .enum(features)
      .default("least")
      .describe(
        "least token probability; mean: geometric mean; product: of the whole step, falls with length; typical: low only where the model was sure of another token",
      ),
  }),
  presets: {},
  async open(name, reference, { feature }, context) {
    const model = await context.openModel(reference);
    requireCapability(model, "likelihood", "likelihood");
    const scorerFor = (question: string, system: string | null) =>
      new ReadingScorer(
        new LikelihoodChain(new LikelihoodPrompt(model, question, system)),
        ({ logprobs, entropies = [], usage }) => ({
          value: certainty(feature, { logprobs, entropies }),
          usage,
        }),
      );
    return {
      name,
      essence: `likelihood under ${model.name} (${feature})`,
      size: model.size,
      check: await selfTest(),
      open: async (question, { system = null } = {}) => scorerFor(question, system),
      async [Symbol.asyncDispose]() {},
    };

    async function selfTest() {
      const scores: number[] = [];
      for (const text of [testSteps.right, testSteps.wrong]) {
        const scorer = scorerFor(testQuestion, null);
        try {
          const { value } = await scorer.append({ ...unwritten, text });
          scores.push(value);
        } finally {
          scorer.drop();
        }
      }
      return { right: scores[0]!, wrong: scores[1]! };
    }
  },
});
