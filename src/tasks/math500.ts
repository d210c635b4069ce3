import { lastBoxed } from "./boxed.js";
import { textOf } from "./fields.js";
import { freeAnswer } from "./free-answer.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "math500",
  essence: "500 competition problems of the MATH test set, five levels, seven subjects",
  source: { repository: "HuggingFaceH4/MATH-500", file: "test.jsonl" },
  licence: "MIT",
  size: 500,
  grading: "math500",
  readQuestion: freeAnswer({
    task: "math500",
    question: ["problem", "question"],
    id: ["unique_id", "id"],
    reference: (row) => lastBoxed(textOf(row, "solution")) || textOf(row, "answer"),
  }),
});
