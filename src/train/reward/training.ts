/** What the training of a reward is asked to do: plain values, models that are open, and how to say how far it is. */
import type { Method } from "../../core/method.js";
import type { Model } from "../../core/model.js";
import type { Splitter } from "../../core/step.js";
import type { HeadFacts } from "../../rewards/head-file.js";
import type { AnswerVerdict, TaskQuestion } from "../../tasks/task.js";
import type { Calibration } from "./calibrate.js";
import type { FeatureSet } from "./feature-sets.js";
import type { LabelSource } from "./labels/label-source.js";
import type { RolloutCost } from "./rollout-cost.js";
import type { HeadKind } from "./train-head.js";

/** Labels to be made, with options that the source's schema has checked. */
export interface WantedLabels {
  readonly source: LabelSource;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface StageProgress {
  readonly stage: string;
  /** What is counted; absent where `done` is a share of 1. */
  readonly unit?: string;
  readonly done: number;
  readonly of: number;
}

export interface TrainingTask {
  readonly name: string;
  readonly questions: readonly TaskQuestion[];
  grade(question: TaskQuestion, text: string): Promise<Pick<AnswerVerdict, "correct">>;
  /** Whether a step is right, where the task can tell. */
  readonly checkStep?:
    | ((question: TaskQuestion, stepsBefore: readonly string[], step: string) => boolean)
    | undefined;
}

export interface RewardTraining {
  /** Where every stage keeps what it has made. */
  readonly folder: string;
  readonly task: TrainingTask;
  /** The model whose steps the head is to judge. */
  readonly draft: Model;
  /** The model that is to rewrite weak steps. Without it a threshold can only be chosen by a share of tokens. */
  readonly target?: Model | undefined;
  /** The model that labels steps beside a worked solution, where the labels need one. */
  readonly annotator?: Model | undefined;
  /** Plain decoding with the role `draft`. */
  readonly writer: Method;

  /** As in a run: null is no system message. */
  readonly system: string | null;
  readonly splitter: Splitter;
  /** The same as it is typed: `blank-line`. */
  readonly splitterName: string;
  /** Of an answer. */
  readonly maxTokens: number;
  /** Answers to each question; the first is greedy, the others are sampled at `temperature`. */
  readonly samples: number;
  readonly temperature: number;
  readonly seed: number;
  /** Questions in flight at once. */
  readonly concurrency: number;

  /** What nothing is fitted to or chosen by: a share of the questions, or questions of their own. */
  readonly heldOut: number | readonly TaskQuestion[];
  /** The head is fitted to the first; the others are compared with it. */
  readonly labels: readonly [WantedLabels, ...WantedLabels[]];
  /** Of each source that a model works for, the most training answers that get labels; held out as many in proportion. */
  readonly labelLimit?: number | undefined;
  /** What heads may look at; cross-validation chooses. */
  readonly features: readonly [FeatureSet, ...FeatureSet[]];
  readonly kind: HeadKind;
  readonly calibration: Calibration;
  readonly threshold: ThresholdWish;
  /** To so many training questions the target answers too: what its own steps are worth. */
  readonly targetAnswers: number;

  readonly signal?: AbortSignal | undefined;
  onProgress?(progress: StageProgress): void;
  /** Before labels that cost much are made. */
  onCost?(source: string, cost: RolloutCost): void;
}

/** What decides from which score on a step of the draft is kept: see thresholds.ts. */
export interface ThresholdWish {
  /** `target-mean` and `best` need a target. */
  readonly rule: ThresholdRule;
  /** Of the draft's tokens that may be rewritten, for `budget`. */
  readonly share: number;
}

export type ThresholdRule = NonNullable<HeadFacts["threshold"]>["rule"];
