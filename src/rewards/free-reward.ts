/** A reward that reads no model: its score follows from what the step carries, at no cost. */
import { StepwrightError } from "../core/errors.js";
import { noUsage } from "../core/model.js";
import type { RewardOccasion, Scorer } from "../core/reward.js";
import type { Step } from "../core/step.js";
import type { CheckedReward } from "./kind.js";

export interface FreeReward {
  readonly name: string;
  readonly essence: string;
  readonly needsStepCheck?: boolean;
  readonly readsFigures?: boolean;
  /** The score of `step`, written after `before`. */
  score(step: Step, before: readonly Step[], occasion: RewardOccasion): number | Promise<number>;
}

export function createFreeReward({ score, ...facts }: FreeReward): CheckedReward {
  const scorer = (occasion: RewardOccasion, before: readonly Step[]): Scorer => {
    let steps = before;
    let dropped = false;
    const refuseDropped = () => {
      if (dropped) throw new StepwrightError("internal", "the scorer was used after it was dropped");
    };
    return {
      async append(step) {
        refuseDropped();
        const earlier = steps;
        steps = [...earlier, step];
        return { value: await score(step, earlier, occasion), usage: noUsage };
      },
      skip(step) {
        refuseDropped();
        steps = [...steps, step];
      },
      flopsBound: () => 0,
      fork() {
        refuseDropped();
        return scorer(occasion, steps);
      },
      drop() {
        dropped = true;
      },
    };
  };
  return {
    ...facts,
    check: null,
    open: async (_question, occasion = {}) => scorer(occasion, []),
    async [Symbol.asyncDispose]() {},
  };
}
