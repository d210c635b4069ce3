/** The lab's models: sizes, plans, tokenizers and lessons, in the order of training. */
import { defineGenerated } from "../../tasks/lab/generated.js";
import { makeStory, practice } from "../../tasks/lab/levels.js";
import { askStory, checkStory } from "../../tasks/lab/story.js";
import lab from "../../tasks/lab.js";
import type { GeneratedTask } from "../../tasks/task.js";
import type { ModelFamily, ModelSizes, TrainingPlan, TrainingSubject } from "../model-recipe.js";
import { lessons } from "./lessons.js";
import { byteTokenizer, type LabTokenizer, wordTokenizer } from "./vocabulary.js";

/** Far longer than any story: tests of limits and of long contexts use the rest. */
const context = 1024;

const [one, two, three, four] = lab.levels!;

/** As the task's level 5, with the remainders by 3 to 9. */
const hard = defineGenerated({
  name: "lab-practice",
  essence: "arithmetic stories with all remainders",
  levels: 0,
  generate: (index) => askStory(makeStory(index, practice)),
  checkStep: checkStory,
});

/** All alike. */
const even = [one!, two!, three!, four!, hard];

/** The hard operations more often: a model that can learn them needs to see them. */
const hardFirst = [one!, two!, three!, four!, hard, hard, four!, hard];

interface Member {
  readonly tokenizer: LabTokenizer;
  readonly tasks: readonly GeneratedTask[];
  readonly sizes: Omit<ModelSizes, "context" | "vocabulary" | "kvHeads">;
  readonly plan: Omit<TrainingPlan, "seed" | "rows">;
}

export const labFamily: ModelFamily = {
  draft: member("lab-draft", {
    tokenizer: wordTokenizer,
    tasks: even,
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
    tasks: even,
    sizes: { layers: 2, width: 48, heads: 3, feedForward: 144 },
    plan: { tokens: 6_000_000, rowLength: 144, learningRate: 3e-3 },
  }),
  middle: member("lab-middle", {
    tokenizer: wordTokenizer,
    tasks: hardFirst,
    sizes: { layers: 4, width: 128, heads: 4, feedForward: 352 },
    plan: { tokens: 4_000_000, rowLength: 96, learningRate: 2e-3 },
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
