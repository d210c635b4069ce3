import { textOf } from "./fields.js";
import { freeAnswer } from "./free-answer.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "gsm8k",
  essence: "grade-school word problems whose answer is a whole number",
  source: { repository: "openai/gsm8k", file: "main/test-00000-of-00001.parquet" },
  licence: "MIT",
  size: 1319,
  grading: "gsm8k",
  readQuestion: freeAnswer({
    task: "gsm8k",
    question: ["question"],
    // The answer stands after "####"; before it is the worked solution.
    reference: (row) => textOf(row, "answer").split("####").at(-1)!.trim(),
    solution: (row) => textOf(row, "answer"),
  }),
});
