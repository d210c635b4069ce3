import { defineGenerated } from "./lab/generated.js";
import { levels, makeStory } from "./lab/levels.js";
import { checkStoryStep, readStory, solveStory, tellStory, valueAfter } from "./lab/story.js";

export default defineGenerated({
  name: "lab",
  essence: "arithmetic stories, one operation per step, in five levels",
  levels: levels.length,
  generate(index, level) {
    const story = makeStory(index, level);
    return { question: tellStory(story), reference: String(valueAfter(story)), steps: solveStory(story) };
  },
  checkStep(question, stepsBefore, step) {
    const story = readStory(question);
    return story !== undefined && checkStoryStep(story, stepsBefore, step);
  },
});
