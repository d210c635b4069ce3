import { lastBoxed } from "./boxed.js";
import { textOf } from "./fields.js";
import { freeAnswer } from "./free-answer.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "aime24",
  essence: "the American Invitational Mathematics Examination of 2024, whole numbers from 0 to 999",
  source: { repository: "math-ai/aime24", file: "data/test-00000-of-00001.parquet" },
  licence: "Apache-2.0 (the problems: Mathematical Association of America)",
  size: 30,
  grading: "aime24",
  readQuestion: freeAnswer({
    task: "aime24",
    question: ["problem", "question"],
    reference: (row) => textOf(row, "answer") || lastBoxed(textOf(row, "solution")),
  }),
});
