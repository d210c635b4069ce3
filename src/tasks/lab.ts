import { defineGenerated } from "./lab/generated.js";
import { levels, makeStory } from "./lab/levels.js";
import { askStory, checkStory } from "./lab/story.js";

export default defineGenerated({
  name: "lab",
  essence: "arithmetic stories, one operation per step, in five levels",
  levels: levels.length,
  generate: (index, level) => askStory(makeStory(index, levels[(level ?? 0) - 1])),
  checkStep: checkStory,
});
