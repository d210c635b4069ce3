/** A problem with a known optimum: four steps, each right or wrong; the answer is right if all of them are. */
import type { Method } from "../core/method.js";
import type { RewardAdvice } from "../core/reward.js";
import type { RunRoles } from "../core/run.js";
import { ScriptedModel } from "../models/scripted.js";
import type { Script } from "../models/scripted-faults.js";
import type { StepChoice } from "../models/scripted-law.js";
import { ScriptedReward } from "../models/scripted-reward.js";

export const toyQuestion = "take four steps";
const length = 4;

/** How often a step of each model is right. */
export const toySkill = { draft: 0.5, target: 0.9 };

/** What holds of the draft's steps: half of its tokens are rewarded with 0.1, the others with 0.9. */
const toyAdvice: RewardAdvice = {
  threshold: 0.5,
  shares: Array.from({ length: 33 }, (_, index) => (index < 17 ? 0.1 : 0.9)),
  lengths: Array.from({ length: 33 }, (_, index) => 40 + 2 * index),
};

export interface ToyWorld {
  readonly draft: ScriptedModel;
  readonly target: ScriptedModel;
  readonly reward: ScriptedReward;
  readonly roles: RunRoles;
  /** Branches and scorers that are open now. */
  live(): number;
  /** Calls that reached a model or the reward. */
  calls(): number;
}

export interface ToyOptions {
  readonly draftSkill?: number;
  readonly targetSkill?: number;
  readonly draft?: Script;
  readonly target?: Script;
  readonly reward?: Script;
  readonly score?: (question: string, steps: readonly string[]) => unknown;
}

export function toyWorld(method: Method, options: ToyOptions = {}): ToyWorld {
  const { draftSkill = toySkill.draft, targetSkill = toySkill.target } = options;
  const draft = new ScriptedModel({
    name: "toy-draft",
    law: { steps: (_, steps) => choices(steps, draftSkill) },
    ...options.draft,
  });
  const target = new ScriptedModel({
    name: "toy-target",
    size: { multiplied: 10_000, layers: 4 },
    law: { steps: (_, steps) => choices(steps, targetSkill) },
    ...options.target,
  });
  const reward = new ScriptedReward({
    name: "toy-reward",
    advice: toyAdvice,
    score: options.score ?? ((_, steps) => (isRight(steps.at(-1)!) ? 0.9 : 0.1)),
    ...options.reward,
  });
  const { needs } = method;
  return {
    draft,
    target,
    reward,
    roles: {
      ...(needs.draft && { draft }),
      ...(needs.target && { target }),
      ...(needs.reward && { reward }),
    },
    live: () => draft.liveBranches + target.liveBranches + reward.liveScorers,
    calls: () => draft.stage.calls + target.stage.calls + reward.stage.calls,
  };
}

export function toySuccess(text: string): boolean {
  const steps = text.split("\n\n");
  return steps.length === length && steps.every(isRight);
}

function choices(steps: readonly string[], skill: number): StepChoice[] {
  const end = steps.length === length - 1;
  // Words of several lengths, so that steps differ in cost.
  const right = [`right ${steps.length}`, `right, as it must be: ${steps.length}`];
  const wrong = [`wrong ${steps.length}`, `wrong, though it looks well: ${steps.length}`];
  return [
    ...right.map((text) => ({ text, probability: skill / 2, end })),
    ...wrong.map((text) => ({ text, probability: (1 - skill) / 2, end })),
  ];
}

function isRight(step: string): boolean {
  return step.startsWith("right");
}
