import { describe, expect, test } from "vitest";
import { tasks } from "./index.js";
import { type DatasetTask, isGenerated, type Row } from "./task.js";

const datasets = async () => (await tasks.all()).filter((task) => !isGenerated(task)) as DatasetTask[];
const read = async (wanted: string, row: Row) =>
  (await datasets()).find(({ name }) => name === wanted)!.readQuestion(row, 7);

describe("every task", () => {
  test("names its source, licence, size and grading, under its own name", async () => {
    const all = await tasks.all();
    expect(all.map(({ name }) => name)).toEqual(tasks.names);
    for (const { essence, source, licence, size, grading } of await datasets()) {
      expect(essence.length).toBeGreaterThan(10);
      expect(source.repository).toMatch(/^[\w.-]+\/[\w.-]+$/);
      expect(source.file).toMatch(/^[\w./-]+\.(jsonl|json|csv|parquet)$/);
      expect(licence).not.toBe("");
      expect(size).toBeGreaterThan(0);
      expect(grading).toMatch(/^[a-z0-9_]+$/);
    }
  });

  test("says what is wrong with a row that it cannot use", async () => {
    for (const task of await datasets()) {
      expect(task.readQuestion({}, 0)).toMatch(/^has no|^does not/);
      expect(task.readQuestion({ question: 4, problem: [], answer: {}, choices: "x" }, 0)).toBeTypeOf(
        "string",
      );
    }
  });
});

const free: [string, Row, string, string, string, string[]?][] = [
  [
    "gsm8k",
    { question: "How many? ", answer: "2 + 2 = <<2+2=4>>4\n#### 1,004" },
    "gsm8k-7",
    "How many?",
    "1,004",
    ["2 + 2 = 4"],
  ],
  [
    "math500",
    {
      problem: "Find x.",
      solution: "So $x = \\boxed{\\frac{1}{2}}$.",
      answer: "0.5",
      unique_id: "test/a/1.json",
    },
    "test/a/1.json",
    "Find x.",
    "\\frac{1}{2}",
  ],
  ["math500", { question: "Find x.", answer: "3", id: "m-1" }, "m-1", "Find x.", "3"],
  [
    "svamp",
    { ID: "chal-1", Body: "Tom has 3", Question: "How many?", Answer: 3 },
    "chal-1",
    "Tom has 3. How many?",
    "3",
  ],
  ["svamp", { id: "s", question: "How many?", answer: "5.0" }, "s", "How many?", "5"],
  ["aime24", { id: 60, problem: "Find n.", answer: "204" }, "60", "Find n.", "204"],
  ["amc23", { id: 0, question: "Find n.", answer: "27.0" }, "0", "Find n.", "27"],
  ["olympiadbench", { id: 2, question: "Find n.", final_answer: ["$\\pi$", "$2$"] }, "2", "Find n.", "\\pi"],
  [
    "minerva",
    { problem: "How far?", solution: "It is \\boxed{3 \\text{ km}}." },
    "minerva-7",
    "How far?",
    "3 \\text{ km}",
  ],
  ["gaokao2023en", { question: "Where?", answer: "$[2,3)$" }, "gaokao2023en-7", "Where?", "$[2,3)$"],
];

test.each(free)("%s reads %o", async (name, row, id, question, reference, steps) => {
  expect(await read(name, row)).toEqual({ id, question, reference, ...(steps && { steps }) });
});

describe("multiple choice", () => {
  test("is asked with its choices on one line, and answered by letter", async () => {
    const asked = "Which?\nAnswer Choices: (A) one (B) two (C) three (D) four";
    const choices = ["one", "two", "three", " four "];
    expect(await read("mmlu-stem", { question: "Which?", choices, answer: 2 })).toEqual({
      id: "mmlu-stem-7",
      question: asked,
      reference: "C",
    });
    const options = ["A)one", "B) two", "C)three", "D)four"];
    expect(await read("aqua", { question: "Which?", options, correct: "d" })).toMatchObject({
      question: asked,
      reference: "D",
    });
    expect(await read("aqua", { question: "Which?", options, correct: "E" })).toMatch(
      /which choice is right/,
    );
  });

  test("of gpqa-diamond puts the right answer where the question decides", async () => {
    const places = new Set<string>();
    for (let index = 0; index < 40; index++) {
      const row = {
        Question: `Which ${index}?`,
        "Correct Answer": "right",
        "Incorrect Answer 1": "w1",
        "Incorrect Answer 2": "w2",
        "Incorrect Answer 3": "w3",
        "Record ID": `rec${index}`,
      };
      const question = await read("gpqa-diamond", row);
      expect(await read("gpqa-diamond", row)).toEqual(question);
      if (typeof question === "string") throw new Error(question);
      expect(question.id).toBe(`rec${index}`);
      expect(question.question).toContain(`(${question.reference}) right`);
      places.add(question.reference);
    }
    expect([...places].sort()).toEqual(["A", "B", "C", "D"]);
  });
});
