import { multipleChoice } from "./multiple-choice.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "mmlu-stem",
  essence: "school and college questions of 18 science subjects, four choices",
  source: { repository: "TIGER-Lab/MMLU-STEM", file: "data/test-00000-of-00001.parquet" },
  licence: "MIT",
  size: 3018,
  grading: "mmlu_stem",
  readQuestion: multipleChoice({ task: "mmlu-stem", choices: "choices", answer: ["answer"] }),
});
