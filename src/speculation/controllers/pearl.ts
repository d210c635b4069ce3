import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { defineController } from "../../core/speculation.js";
import { PassTimes } from "./pass-times.js";

/** Drafts of a block before anything was timed. */
const firstBlock = 4;

export default defineController({
  name: "pearl",
  essence:
    "drafts the next block while the target reads this one; worth it where the two run on different hardware",
  source: "PEARL, Liu et al., arXiv 2408.11850; card pearl",
  schema: z.object({
    block: z
      .int()
      .min(1)
      .max(32)
      .optional()
      .describe(
        "drafts of a block; default: as many as the draft model writes while the target makes a pass",
      ),
    most: z
      .int()
      .min(2)
      .max(32)
      .default(10)
      .describe("most drafts of a block where their number is measured"),
  }),
  open({ block, most }, { shape, costs }) {
    if (shape !== "chain") {
      throw new StepwrightError("invalid-option", "controller pearl drafts chains, not trees", {
        subject: "controller",
        remedy: "take a drafter of chains, such as model",
      });
    }
    const targets = new PassTimes();
    const drafts = new PassTimes();
    const measured = () => {
      const target = costs?.target(firstBlock) ?? targets.at(firstBlock);
      const draft = costs?.draft(1) ?? drafts.at(1);
      if (target === undefined || draft === undefined) return firstBlock;
      return Math.min(most, Math.max(2, Math.round(target / Math.max(draft, target / most))));
    };
    return {
      ahead: true,
      choose() {
        const length = block ?? measured();
        return { nodes: length, depth: length };
      },
      learn({ tree }, seconds) {
        targets.observe(tree.size + 1, seconds.target);
        if (seconds.drafted > 0) drafts.observe(1, seconds.draft / seconds.drafted);
      },
    };
  },
});
