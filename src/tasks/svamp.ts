import { idOf, lacks, textOf } from "./fields.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "svamp",
  essence: "one-step word problems, varied so that surface patterns do not help",
  source: { repository: "ChilleD/SVAMP", file: "test.json" },
  licence: "MIT",
  size: 300,
  grading: "svamp",
  readQuestion(row, number) {
    const body = textOf(row, "Body");
    const sentence = body === "" || body.endsWith(".") ? body : `${body}.`;
    const question = [sentence, textOf(row, "Question", "question")].filter(Boolean).join(" ");
    const reference = textOf(row, "Answer", "answer").replace(/\.0$/, "");
    return lacks(question, reference) ?? { id: idOf("svamp", row, number, "ID", "id"), question, reference };
  },
});
