import { defineGenerated } from "./lab/generated.js";
import { checkSearchStep, makeSearch, searchLevels } from "./lab/search.js";

export default defineGenerated({
  name: "lab-search",
  essence: "numbers picked until a sum is reached: a wrong early pick dooms the answer",
  levels: searchLevels.length,
  generate(index, level) {
    const { text, answer, steps } = makeSearch(index, level);
    return { question: text, reference: answer, steps };
  },
  checkStep: checkSearchStep,
});
