/** The task's own verdict on a step: the bound that no trained reward can pass. For tasks that check steps (the lab). */
import { z } from "zod";
import { createFreeReward } from "./free-reward.js";
import { defineRewardKind } from "./kind.js";

export default defineRewardKind({
  name: "oracle",
  essence: "1 for a step that the task's checker finds right, else 0",
  source: "the task's step checker (lab tasks)",
  model: "none",
  schema: z.strictObject({}),
  presets: {},
  async open(name) {
    return createFreeReward({
      name,
      essence: "the task's own verdict on each step",
      needsStepCheck: true,
      score: (step, before, { checkStep }) =>
        checkStep!(
          before.map(({ text }) => text),
          step.text,
        )
          ? 1
          : 0,
    });
  },
});
