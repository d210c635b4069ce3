/** The lab's models: sizes, plans, tokenizers and lessons, in the order of training. */
import lab from "../../tasks/lab.js";
import type { GeneratedTask } from "../../tasks/task.js";
import type { ModelFamily, ModelSizes, TrainingPlan, TrainingSubject } from "../model-recipe.js";
import { lessons } from "./lessons.js";
import { byteTokenizer, type LabTokenizer, wordTokenizer } from "./vocabulary.js";

/** Far longer than any story: tests of limits and of long contexts use the rest. */
const context = 1024;

/** Every level as often as in the task. */
const asAsked = levelsOf(lab, [1, 2, 3, 4, 5]);

/** The hard operations more often: a model that can learn them needs to see them. */
const hardFirst = levelsOf(lab, [1, 2, 3, 4, 5, 5, 4, 5]);

interface Member {
  readonly tokenizer: LabTokenizer;
  readonly tasks: readonly GeneratedTask[];
  readonly sizes: Omit<ModelSizes, "context" | "vocabulary" | "kvHeads">;
  readonly plan: Omit<TrainingPlan, "seed" | "rows">;
}

export const labFamily: ModelFamily = {
  draft: member("lab-draft", {
    tokenizer: wordTokenizer,
    tasks: asAsked,
    sizes: { layers: 2, width: 48, heads: 3, feedForward: 144 },
    plan: { tokens: 6_000_000, rowLength: 96, learningRate: 3e-3 },
  }),
  target: member("lab-target", {
    tokenizer: wordTokenizer,
    tasks: hardFirst,
    sizes: { layers: 4, width: 192, heads: 6, feedForward: 512 },
    plan: { tokens: 2_800_000, rowLength: 96, learningRate: 2e-3 },
  }),
  "draft-other": member("lab-draft-other", {
    tokenizer: byteTokenizer,
    tasks: asAsked,
    sizes: { layers: 2, width: 48, heads: 3, feedForward: 144 },
    plan: { tokens: 6_000_000, rowLength: 144, learningRate: 3e-3 },
  }),
  middle: member("lab-middle", {
    tokenizer: wordTokenizer,
    tasks: hardFirst,
    sizes: { layers: 4, width: 128, heads: 4, feedForward: 352 },
    plan: { tokens: 2_000_000, rowLength: 96, learningRate: 2e-3 },
  }),
};

function member(name: string, { tokenizer, tasks, sizes, plan }: Member): () => TrainingSubject {
  const { vocabulary } = tokenizer;
  return () => ({
    name,
    vocabulary,
    examples: lessons(tokenizer, tasks),
    recipe: {
      sizes: { ...sizes, kvHeads: sizes.heads, context, vocabulary: vocabulary.tokens.length },
      // Few rows mean many steps, which a short training needs more than it needs smooth ones.
      plan: { ...plan, rows: 8, seed: 1 },
    },
  });
}

function levelsOf(task: GeneratedTask, levels: readonly number[]): GeneratedTask[] {
  return levels.map((level) => task.levels![level - 1]!);
}
