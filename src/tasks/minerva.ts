import { lastBoxed } from "./boxed.js";
import { textOf } from "./fields.js";
import { freeAnswer } from "./free-answer.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "minerva",
  essence: "undergraduate problems in science and mathematics; units count",
  source: { repository: "math-ai/minervamath", file: "test.jsonl" },
  licence: "none stated (the problems: MIT OpenCourseWare, CC BY-NC-SA)",
  size: 272,
  grading: "minerva_math",
  readQuestion: freeAnswer({
    task: "minerva",
    question: ["problem", "question"],
    reference: (row) => lastBoxed(textOf(row, "solution")) || textOf(row, "answer"),
  }),
});
