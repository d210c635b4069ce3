/** What the lab's models are shown: worked stories, question and answer as the chat template lays them out. */
import { makeStory } from "../../tasks/lab/levels.js";
import { solveStory, tellStory } from "../../tasks/lab/story.js";
import type { TrainingSet } from "../model-recipe.js";
import type { LabTokenizer } from "./vocabulary.js";

/** Indices from here on belong to choices and figures. */
const trainingSize = 500_000;

/** Levels in the order in which a model is shown them, over and over; a level may be shown more often than another. */
export function storyLessons({ encode, control }: LabTokenizer, levels: readonly number[]): TrainingSet {
  return (index) => {
    const story = makeStory(index % trainingSize, levels[index % levels.length]);
    const prompt = [control.question, ...encode(tellStory(story)), control.answer];
    return {
      tokens: [...prompt, ...encode(solveStory(story).join("\n\n")), control.end],
      lossFrom: prompt.length,
    };
  };
}
