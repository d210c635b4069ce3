import { multipleChoice } from "./multiple-choice.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "aqua",
  essence: "algebra word problems of admission tests, five choices",
  source: { repository: "deepmind/aqua_rat", file: "raw/test-00000-of-00001.parquet" },
  licence: "Apache-2.0",
  size: 254,
  grading: "aqua",
  readQuestion: multipleChoice({
    task: "aqua",
    choices: "options",
    answer: ["correct", "answer"],
    // They are written "A)21".
    plainChoice: (choice) => choice.replace(/^\s*[A-E]\s*\)\s*/, ""),
  }),
});
