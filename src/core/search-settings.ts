/** What a run fixes for its search. */
import type { AnswerRules } from "./answer-rules.js";
import type { Model, Sampling } from "./model.js";
import type { Prompt } from "./prompt.js";
import type { Reward, StepCheck } from "./reward.js";
import type { Splitter } from "./step.js";
import type { RewardFailurePolicy } from "./trace-event.js";

export interface SearchSettings {
  readonly question: string;
  readonly system: string | null;
  /** Asked instead of system message and question, which a reward still reads. */
  readonly prompt?: Prompt | undefined;
  readonly seed: number;
  readonly sampling: Omit<Sampling, "seed">;
  readonly splitter: Splitter;
  /** Greatest number of tokens in the answer, each step counted in its writer's tokens. */
  readonly maxTokens: number;
  readonly maxSteps: number;
  readonly maxStepTokens: number;
  /** Texts that end the answer where they first appear. */
  readonly stop: readonly string[];
  readonly rewardFailure: RewardFailurePolicy;
  readonly models: { readonly draft?: Model | undefined; readonly target?: Model | undefined };
  readonly reward?: Reward | undefined;
  readonly answers?: AnswerRules | undefined;
  readonly checkStep?: StepCheck | undefined;
}
