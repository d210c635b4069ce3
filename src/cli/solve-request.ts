/** What `solve` asks of a run, out of its settings. */
import { StepwrightError } from "../core/errors.js";
import type { Role } from "../core/search.js";
import type { HubSettings } from "../models/hub-settings.js";
import { settleReward } from "../rewards/index.js";
import type { CommandContext } from "./command.js";
import { isDemo } from "./demo/models.js";
import { question as demoQuestion } from "./demo/story.js";
import { lastingModel, lastingReward, type References } from "./references.js";
import type { SolveSettings } from "./solve-settings.js";
import { type SpeculationSettings, speculationOf } from "./speculation.js";

type RequestSettings = Omit<SolveSettings, "trace" | "noTrace" | "resume" | "config" | "json" | "events">;

export function requestOf(settings: Omit<RequestSettings, "method">) {
  const { seed, temperature, topP, topK, minP, step: splitter } = settings;
  const { maxTokens, maxSteps, maxStepTokens, budget, rewardFailure } = settings;
  return {
    ...{ seed, sampling: { temperature, topP, topK, minP }, splitter },
    ...{ maxTokens, maxSteps, maxStepTokens, budget, rewardFailure },
    system: settings.noSystem ? null : settings.system,
  };
}

/** References that last, for the roles of the method and what its rewards read; a default reward where one is needed. */
export async function referencesOf(
  settings: Pick<
    RequestSettings,
    "method" | "draft" | "target" | "reward" | "threads" | "exact" | "context"
  > &
    Partial<SpeculationSettings>,
  { host, say }: CommandContext,
  roles: readonly Role[],
  hub: HubSettings,
  furtherRewards: readonly string[] = [],
): Promise<References> {
  const { threads, exact, context } = settings;
  let { reward } = settings;
  if (roles.includes("reward") && reward === undefined) {
    reward = "judge:target";
    say("No --reward is given: the target judges the steps (--reward judge:target).");
  }
  const folder = host.workingFolder;
  const references: { -readonly [Key in keyof References]: References[Key] } = { threads, exact };
  if (context !== undefined) references.context = context;
  if (reward !== undefined && roles.includes("reward"))
    references.reward = await lastingReward(reward, folder, hub);
  const speculation = await speculationOf(settings, folder);
  if (speculation) references.speculation = speculation;
  const rewardsModels = await modelsOf([references.reward ?? [], furtherRewards].flat());
  for (const role of ["draft", "target"] as const) {
    const name = settings[role];
    if (name === undefined) continue;
    const judges = rewardsModels.includes(role);
    const drafts = role === "draft" && speculation !== undefined && roles.includes("target");
    if (roles.includes(role) || judges || drafts) references[role] = await lastingModel(name, folder, hub);
    else say(`Method ${settings.method} has no use for --${role}.`);
  }
  return references;
}

/** What rewards look at, or may. */
async function modelsOf(rewards: readonly string[]): Promise<string[]> {
  const settled = await Promise.all(rewards.filter((reference) => !isDemo(reference)).map(settleReward));
  return settled.flatMap(({ resources, mayOpen }) => [...resources, ...mayOpen]);
}

/** The scripted models know one story; they must not seem to answer another question. */
export function refuseOtherQuestions({ draft, target, reward }: References, question: string): void {
  const isScripted = [draft, target, reward].some(
    (reference) => reference !== undefined && isDemo(reference),
  );
  if (!isScripted || question === demoQuestion) return;
  throw new StepwrightError(
    "invalid-option",
    "the demo models are scripted and know no question but their own",
    {
      subject: "PROBLEM",
      remedy: "run stepwright demo, or name real models",
    },
  );
}
