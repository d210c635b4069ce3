import { defineGenerated, isNextLine } from "./lab/generated.js";
import { makeRecall, recallLevels, solveRecall } from "./lab/recall.js";

export default defineGenerated({
  name: "lab-recall",
  essence: "facts in a long context, asked for after it",
  levels: recallLevels.length,
  generate(index, level) {
    const { text, answer, steps } = makeRecall(index, level);
    return { question: text, reference: answer, steps };
  },
  checkStep: (question, stepsBefore, step) => isNextLine(solveRecall(question), stepsBefore, step),
});
