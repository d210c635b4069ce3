/** Training models of the Llama family, from nothing or from a model: see docs/training.md. */

export { binaryHeadMethod } from "./binary-heads.js";
export { type DistillationLoss, distillation } from "./distillation.js";
export { ggufModel } from "./gguf-model.js";
export { writeHubFolder } from "./hub-folder.js";
export { initialWeights, parameterCount, type Weights } from "./initial-weights.js";
export { type Adapter, initialAdapter, mergeAdapter } from "./low-rank-adapter.js";
export type {
  ModelFamily,
  ModelRecipe,
  ModelSizes,
  TrainingExample,
  TrainingPlan,
  TrainingSet,
  TrainingSubject,
  VocabularyRecipe,
} from "./model-recipe.js";
export { encodeHead } from "./reward/encode-head.js";
export type { LabelledAnswer } from "./reward/examples.js";
export { type FeatureSet, featureSets } from "./reward/feature-sets.js";
export { labelSources } from "./reward/labels/index.js";
export type { LabelSource } from "./reward/labels/label-source.js";
export { type JudgedScores, type TrainedReward, trainReward } from "./reward/pipeline.js";
export { evaluateHead, type HeadTraining, type TrainedHead, trainHead } from "./reward/train-head.js";
export type { RewardTraining, ThresholdWish, TrainingTask, WantedLabels } from "./reward/training.js";
export { type FamilyMember, type FamilyOptions, trainFamily } from "./train-family.js";
export { type TrainedModel, type TrainingOptions, type TrainingProgress, trainModel } from "./train-model.js";
export { adapted, nextToken, type TrainingMethod } from "./training-method.js";
