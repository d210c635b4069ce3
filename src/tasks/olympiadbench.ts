import { listOf, textOf } from "./fields.js";
import { freeAnswer } from "./free-answer.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "olympiadbench",
  essence: "olympiad problems in English with one free answer and no picture",
  source: { repository: "math-ai/olympiadbench", file: "test.jsonl" },
  licence: "Apache-2.0",
  size: 675,
  grading: "olympiadbench",
  readQuestion: freeAnswer({
    task: "olympiadbench",
    question: ["question", "problem"],
    reference: (row) =>
      (listOf(row, "final_answer")?.[0] ?? textOf(row, "final_answer", "answer")).replaceAll("$", "").trim(),
  }),
});
