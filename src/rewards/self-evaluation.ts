/**
 * A model's own word on whether starting over would do better, read from its next-token law. It speaks of this model
 * and this question: where all its answers are alike, good or hopeless, the score is high. The paper trains the
 * model for it; without that training it is a stand-in that shows the control and little insight.
 */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { defineRewardKind } from "./kind.js";
import { twoSided } from "./law.js";
import { spellings } from "./markers.js";
import { createModelReward, requireCapability } from "./model-reward.js";

const defaultRequest = "Would you do better if you started over? Answer with one word, Yes or No.";

export default defineRewardKind({
  name: "self",
  essence: "the writer's own word on whether it would do better if it started over",
  source: "Manvi et al., Adaptive Inference-Time Compute, arXiv 2410.02725; without its training a stand-in",
  schema: z.strictObject({
    request: z
      .string()
      .min(1)
      .max(2000)
      .default(defaultRequest)
      .describe(
        "what the model is asked after its answer; a trained model expects the words of its training",
      ),
  }),
  presets: {},
  async open(name, reference, { request }, context) {
    const model = await context.openModel(reference);
    requireCapability(model, "candidates", "self");
    const [yes, no] = await Promise.all([
      spellings(model, ["Yes", "yes", "YES"]),
      spellings(model, ["No", "no", "NO"]),
    ]);
    if (yes.length === 0 || no.length === 0) {
      throw new StepwrightError(
        "reward-invalid",
        `Yes or No is not one token in the vocabulary of ${model.name}`,
        {
          subject: model.name,
          remedy: "use a model whose vocabulary has both",
        },
      );
    }
    return createModelReward(
      {
        model,
        async layout(question, steps) {
          const { tokens } = await model.renderChat([
            { role: "user", content: question.trim() },
            { role: "assistant", content: steps.map(({ text }) => text).join("") },
            { role: "user", content: request },
          ]);
          return tokens;
        },
        ask: { tokens: [...no, ...yes] },
        // No, it would not do better: the answer is at least as good as another one.
        judge: ({ tokens }) => twoSided(tokens!.slice(0, no.length), tokens!.slice(no.length)),
      },
      { name, essence: `${model.name} on its own answer: P(no better if started over)`, leastMass: 0.001 },
    );
  },
});
