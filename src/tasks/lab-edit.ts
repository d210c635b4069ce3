import { editLevels, makeEdit, solveEdit } from "./lab/edit.js";
import { defineGenerated, isNextLine } from "./lab/generated.js";

export default defineGenerated({
  name: "lab-edit",
  essence: "a text written again with one word changed throughout",
  levels: editLevels.length,
  generate(index, level) {
    const { text, answer, steps } = makeEdit(index, level);
    return { question: text, reference: answer, steps };
  },
  checkStep: (question, stepsBefore, step) => isNextLine(solveEdit(question), stepsBefore, step),
});
