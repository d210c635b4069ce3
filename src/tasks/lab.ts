import { levels, makeStory } from "./lab/levels.js";
import { checkStoryStep, readStory, solveStory, tellStory } from "./lab/story.js";
import { type GeneratedTask, labSize, labTrainingSize } from "./task.js";

function arithmetic(level?: number): GeneratedTask {
  const name = level === undefined ? "lab" : `lab:${level}`;
  return {
    name,
    essence: "arithmetic stories, one operation per step, made from their index",
    licence: "Apache-2.0",
    size: labSize,
    trainingSize: labTrainingSize,
    grading: "math",
    generate(index) {
      const story = makeStory(index, level);
      const steps = solveStory(story);
      const reference = /\d+/.exec(steps.at(-1)!)![0];
      return { id: `${name}-${index}`, question: tellStory(story), reference, steps };
    },
    checkStep({ question }, stepsBefore, step) {
      const story = readStory(question);
      return story !== undefined && checkStoryStep(story, stepsBefore, step);
    },
  };
}

const task: GeneratedTask = {
  ...arithmetic(),
  levels: levels.map((_, index) => arithmetic(index + 1)),
};

export default task;
