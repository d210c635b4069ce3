/** Finds the first wrong step of an answer by binary search: a start from which no end is right holds a wrong step. */
import { z } from "zod";
import { defineLabelSource, labeller, noLabelUsage } from "./label-source.js";
import { AnswerRollouts, rolloutFields } from "./rollouts.js";

export default defineLabelSource({
  name: "omega",
  essence:
    "binary search with the draft's ends for the first wrong step; all steps before it are right, none from it on",
  source: "Luo et al., OmegaPRM, arXiv 2406.06592, section 3.2 (the search, without the tree of states)",
  exactness: 3,
  needs: ["draft"],
  schema: z.strictObject({ ...rolloutFields }),
  open: async (options, context) =>
    labeller(async (answer, question) => {
      const { steps } = answer;
      // The method's assumption: what ends right has no wrong step.
      if (answer.right) return { values: steps.map(() => 1), usage: noLabelUsage };
      if (steps.length < 2) return { values: steps.map(() => 0), usage: noLabelUsage };
      using ends = await AnswerRollouts.read(answer, question, options, context);
      const probes: { steps: number; right: number }[] = [];
      // The question alone is taken for right, the whole answer is known to be wrong.
      let [right, wrong] = [0, steps.length];
      while (wrong - right > 1) {
        const middle = (right + wrong) >> 1;
        const found = await ends.rightAfter(middle);
        probes.push({ steps: middle, right: found });
        if (found > 0) right = middle;
        else wrong = middle;
      }
      return {
        values: steps.map((_, place) => (place < right ? 1 : 0)),
        usage: ends.usage,
        note: { firstWrong: right, probes, rollouts: options.rollouts },
      };
    }),
});
