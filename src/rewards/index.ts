/** Every kind of reward, one lazy line each, and the way from a reference to a reward. */
import { StepwrightError } from "../core/errors.js";
import { createRegistry } from "../core/registry.js";
import type { CheckedReward, RewardContext, RewardKind } from "./kind.js";
import { parseRewardOptions, parseRewardReference } from "./reference.js";

export type {
  CheckedReward,
  ExplainedScore,
  FeaturePull,
  PresetFacts,
  RewardContext,
  RewardKind,
  SelfTest,
} from "./kind.js";
export { isExplained } from "./kind.js";
export { parseRewardReference, type RewardReference } from "./reference.js";

export const rewardKinds = createRegistry<RewardKind>("reward", {
  "value-head": () => import("./value-head.js"),
  "step-token": () => import("./step-token.js"),
  remote: () => import("./remote.js"),
  judge: () => import("./judge.js"),
  grm: () => import("./grm.js"),
  self: () => import("./self-evaluation.js"),
  confidence: () => import("./confidence.js"),
  likelihood: () => import("./likelihood.js"),
  head: () => import("./head-reward.js"),
  oracle: () => import("./oracle.js"),
});

/** A reference that its kind accepts, with options checked. */
export interface SettledReward {
  readonly kind: RewardKind;
  /** Empty where none is named. */
  readonly model: string;
  readonly options: Record<string, unknown>;
  /** The models and files that it needs. */
  readonly resources: readonly string[];
  /** Models that it may look at, too. */
  readonly mayOpen: readonly string[];
}

/** Checks a reference without opening anything. Throws `invalid-option` or `unknown-name`. */
export async function settleReward(reference: string): Promise<SettledReward> {
  const { kind: name, model, options: given } = parseRewardReference(reference);
  const kind = await rewardKinds.get(name);
  const { model: use = "needed" } = kind;
  const names = use === "needed" || use === "file";
  if (names ? model === "" : use === "none" && model !== "") {
    const what = use === "file" ? "file" : "model";
    throw new StepwrightError(
      "invalid-option",
      `reward "${reference}" ${model === "" ? `names no ${what}` : `names a model, and ${name} reads none`}`,
      { subject: "reward", remedy: `write ${formOf(name, use)}` },
    );
  }
  const options = parseRewardOptions(name, kind.schema, given);
  const resources = kind.resources?.(model, options) ?? (model === "" ? [] : [model]);
  return { kind, model, options, resources, mayOpen: kind.mayOpen?.(options) ?? [] };
}

function formOf(name: string, use: NonNullable<RewardKind["model"]>): string {
  if (use === "file") return `${name}:FILE`;
  return use === "none" ? name : `${name}:target, ${name}:draft or ${name}:path-to.gguf`;
}

/**
 * Opens `kind:model?option=value` and runs its self-test. Errors: `invalid-option`, `unknown-name`,
 * `missing-capability`, `reward-invalid` (not a reward of this kind), and those of the context.
 */
export async function openReward(reference: string, context: RewardContext): Promise<CheckedReward> {
  const { kind, model, options } = await settleReward(reference);
  return kind.open(reference, model, options, context);
}
