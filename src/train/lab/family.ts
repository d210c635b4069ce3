/** The lab's models: sizes, plans, tokenizers and lessons, in the order of training. */
import type { ModelFamily, ModelSizes, TrainingPlan, TrainingSubject } from "../model-recipe.js";
import { storyLessons } from "./lessons.js";
import { byteTokenizer, type LabTokenizer, wordTokenizer } from "./vocabulary.js";

/** Far longer than any story: tests of limits and of long contexts use the rest. */
const context = 1024;

/** Every level as often as in the task. */
const asAsked = [1, 2, 3, 4, 5];

/** The hard operations more often: a model that can learn them needs to see them. */
const hardFirst = [1, 2, 3, 4, 5, 5, 4, 5];

interface Member {
  readonly tokenizer: LabTokenizer;
  readonly levels: readonly number[];
  readonly sizes: Omit<ModelSizes, "context" | "vocabulary" | "kvHeads">;
  readonly plan: Omit<TrainingPlan, "seed" | "rows">;
}

export const labFamily: ModelFamily = {
  draft: member("lab-draft", {
    tokenizer: wordTokenizer,
    levels: asAsked,
    sizes: { layers: 2, width: 48, heads: 3, feedForward: 144 },
    plan: { tokens: 6_000_000, rowLength: 96, learningRate: 3e-3 },
  }),
  target: member("lab-target", {
    tokenizer: wordTokenizer,
    levels: hardFirst,
    sizes: { layers: 4, width: 192, heads: 6, feedForward: 512 },
    plan: { tokens: 2_800_000, rowLength: 96, learningRate: 2e-3 },
  }),
  "draft-other": member("lab-draft-other", {
    tokenizer: byteTokenizer,
    levels: asAsked,
    sizes: { layers: 2, width: 64, heads: 4, feedForward: 160 },
    plan: { tokens: 3_000_000, rowLength: 160, learningRate: 3e-3 },
  }),
  middle: member("lab-middle", {
    tokenizer: wordTokenizer,
    levels: hardFirst,
    sizes: { layers: 4, width: 128, heads: 4, feedForward: 352 },
    plan: { tokens: 2_000_000, rowLength: 96, learningRate: 2e-3 },
  }),
};

function member(name: string, { tokenizer, levels, sizes, plan }: Member): () => TrainingSubject {
  const { vocabulary } = tokenizer;
  return () => ({
    name,
    vocabulary,
    examples: storyLessons(tokenizer, levels),
    recipe: {
      sizes: { ...sizes, kvHeads: sizes.heads, context, vocabulary: vocabulary.tokens.length },
      // Few rows mean many steps, which a short training needs more than it needs smooth ones.
      plan: { ...plan, rows: 8, seed: 1 },
    },
  });
}
