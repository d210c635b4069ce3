import { keyedBits } from "../core/random.js";
import { letters, withChoices } from "./choices.js";
import { idOf, textOf } from "./fields.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "gpqa-diamond",
  essence: "graduate questions in physics, chemistry and biology, four choices",
  source: { repository: "Idavidrein/gpqa", file: "gpqa_diamond.csv" },
  licence: "CC BY 4.0; the repository asks you to accept its terms and to publish no questions",
  size: 198,
  grading: "gpqa",
  readQuestion(row, number) {
    const question = textOf(row, "Question", "question");
    const right = textOf(row, "Correct Answer");
    const wrong = [1, 2, 3].map((index) => textOf(row, `Incorrect Answer ${index}`));
    if (question === "") return "has no question";
    if (right === "" || wrong.includes("")) return "has not four answers";
    // The file lists the right answer first; its place among the four depends on the question alone.
    const place = keyedBits(0, question, 0, "place of the right answer") % 4;
    const choices = wrong.toSpliced(place, 0, right);
    const id = idOf("gpqa-diamond", row, number, "Record ID", "id");
    return { id, question: withChoices(question, choices), reference: letters[place]! };
  },
});
