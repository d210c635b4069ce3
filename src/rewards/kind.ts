/** What a kind of reward is, and what it may ask of the world around it. */
import type { z } from "zod";
import type { Model } from "../core/model.js";
import type { Reward, Score } from "../core/reward.js";
import type { TensorSet } from "../core/tensor.js";

/** Opens what a reward is made of. Whoever gives it owns the models: a reward never closes one. */
export interface RewardContext {
  /**
   * `draft`, `target` or a model reference. The words, and references that are already open, give the loaded
   * model itself, so that a reward on shared weights costs no second copy.
   */
  openModel(reference: string): Promise<Model>;
  /** Those of the named tensors that the head file or the model file of this reference holds. */
  loadHead(reference: string, names: readonly string[]): Promise<TensorSet>;
  /** What the head file of this reference says about itself, by name; empty where it says nothing. */
  loadHeadFacts(reference: string): Promise<ReadonlyMap<string, string>>;
}

/** Where a published format comes from and what to expect of it; shown by the docs and the command line. */
export interface PresetFacts {
  /** The models that were trained for it. */
  readonly models: string;
  /** What is read, in words. */
  readonly template: string;
  readonly delimiter: string;
  readonly licence: string;
  readonly threshold: string;
}

export interface RewardKind<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly essence: string;
  readonly source: string;
  /** Options after `?` in the reference; every field has a description. */
  readonly schema: Schema;
  readonly presets: Readonly<Record<string, PresetFacts>>;
  /** Whether a reference names a model after the kind, or a file of this program's own. Default: it must name a model. */
  readonly model?: "needed" | "optional" | "none" | "file";
  /** The models and files that a reference needs, to be looked for before anything is opened. Default: its model. */
  resources?(model: string, options: z.output<Schema>): readonly string[];
  /** Models that it may also look at: which of them, only its file says. Default: none. */
  mayOpen?(options: z.output<Schema>): readonly string[];
  /** The model that a step costs a read of, undefined for none. Default: the one that a reference must name. */
  reader?(
    model: string,
    options: z.output<Schema>,
    context: Pick<RewardContext, "loadHeadFacts">,
  ): Promise<string | undefined>;
  /** `name` is the whole reference; `model` the part that `context.openModel` understands, empty for none. */
  open(
    name: string,
    model: string,
    options: z.output<Schema>,
    context: RewardContext,
  ): Promise<CheckedReward>;
}

/** A reward that passed its self-test, with the scores of the two fixed steps; null where there is no text to test. */
export interface CheckedReward extends Reward {
  readonly check: SelfTest | null;
}

export interface SelfTest {
  /** Score of the right step, in [0, 1]. */
  readonly right: number;
  /** Score of the wrong step. Not below `right` means: do not trust this reward before a calibration. */
  readonly wrong: number;
}

/** What one of a head's features did to a score. */
export interface FeaturePull {
  readonly feature: string;
  /** In log-odds before calibration, against a step whose feature is the training steps' mean. */
  readonly pull: number;
}

/** A score of a reward that can say why. */
export interface ExplainedScore extends Score {
  /** Greatest first, whatever their sign. */
  pulls(): readonly FeaturePull[];
}

/** True where the reward can say why. */
export function isExplained(score: Score): score is ExplainedScore {
  return "pulls" in score;
}

/** Types a kind's options from its schema. */
export function defineRewardKind<Schema extends z.ZodObject>(kind: RewardKind<Schema>): RewardKind<Schema> {
  return kind;
}
