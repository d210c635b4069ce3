import { textOf } from "./fields.js";
import { freeAnswer } from "./free-answer.js";
import { defineTask } from "./task.js";

export default defineTask({
  name: "gaokao2023en",
  essence: "the Chinese university entrance examination of 2023 in English, free answers",
  source: { repository: "MARIO-Math-Reasoning/Gaokao2023-Math-En", file: "gaokao2023_math_en.jsonl" },
  licence: "MIT",
  size: 385,
  grading: "gaokao2023en",
  readQuestion: freeAnswer({
    task: "gaokao2023en",
    question: ["question", "problem"],
    reference: (row) => textOf(row, "answer"),
  }),
});
