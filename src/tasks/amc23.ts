import { textOf } from "./fields.js";
import { freeAnswer } from "./free-answer.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "amc23",
  essence: "the American Mathematics Competitions 12 of 2023, as free answers",
  source: { repository: "math-ai/amc23", file: "test-00000-of-00001.parquet" },
  licence: "none stated (the problems: Mathematical Association of America)",
  size: 40,
  grading: "amc23",
  readQuestion: freeAnswer({
    task: "amc23",
    question: ["question", "problem"],
    // Some copies write the numbers as 27.0.
    reference: (row) => textOf(row, "answer").replace(/\.0$/, ""),
  }),
});
