/** Every kind of reward, one lazy line each, and the way from a reference to a reward. */
import { createRegistry } from "../core/registry.js";
import type { CheckedReward, RewardContext, RewardKind } from "./kind.js";
import { parseRewardOptions, parseRewardReference } from "./reference.js";

export type { CheckedReward, PresetFacts, RewardContext, RewardKind, SelfTest } from "./kind.js";
export { parseRewardReference, type RewardReference } from "./reference.js";

export const rewardKinds = createRegistry<RewardKind>("reward", {
  "value-head": () => import("./value-head.js"),
  "step-token": () => import("./step-token.js"),
  judge: () => import("./judge.js"),
  grm: () => import("./grm.js"),
});

/**
 * Opens `kind:model?option=value` and runs its self-test. Errors: `invalid-option`, `unknown-name`,
 * `missing-capability`, `reward-invalid` (not a reward of this kind), and those of the context.
 */
export async function openReward(reference: string, context: RewardContext): Promise<CheckedReward> {
  const { kind: name, model, options } = parseRewardReference(reference);
  const kind = await rewardKinds.get(name);
  return kind.open(reference, model, parseRewardOptions(name, kind.schema, options), context);
}
