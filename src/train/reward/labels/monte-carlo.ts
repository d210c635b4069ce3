/** A step is as right as the ends that the draft reaches from it. */
import { z } from "zod";
import { defineLabelSource, labeller, noLabelUsage } from "./label-source.js";
import { AnswerRollouts, rolloutFields } from "./rollouts.js";

export default defineLabelSource({
  name: "monte-carlo",
  essence: "from each step the draft writes ends; a step is as right as the share of them that are",
  source: "Wang et al., Math-Shepherd, arXiv 2312.08935, section 3.3",
  exactness: 3,
  needs: ["draft"],
  schema: z.strictObject({
    ...rolloutFields,
    estimate: z
      .enum(["soft", "hard"])
      .default("soft")
      .describe("soft: the share of right ends; hard: 1 if any end is right"),
  }),
  open: async (options, context) =>
    labeller(async (answer, question) => {
      // After the last step nothing is open.
      const outcome = answer.right ? 1 : 0;
      if (answer.steps.length < 2) return { values: answer.steps.map(() => outcome), usage: noLabelUsage };
      using ends = await AnswerRollouts.read(answer, question, options, context);
      const rights: number[] = [];
      for (let steps = 1; steps < answer.steps.length; steps++) rights.push(await ends.rightAfter(steps));
      const values = rights.map((right) =>
        options.estimate === "hard" ? Number(right > 0) : right / options.rollouts,
      );
      return {
        values: [...values, outcome],
        usage: ends.usage,
        note: { rights, rollouts: options.rollouts },
      };
    }),
});
