import fc from "fast-check";
import { expect, test } from "vitest";
import { readLocalQuestion } from "./local-task.js";
import { solutionSteps } from "./solution.js";

test.each([
  ["2 + 2 = <<2+2=4>>4\r\n4 * 3 = <<4*3=12>>12\n#### 12", ["2 + 2 = 4", "4 * 3 = 12"]],
  ["First we add.\n2 + 2 = 4\n\n \nThen we are done.", ["First we add.\n2 + 2 = 4", "Then we are done."]],
  ["one line", ["one line"]],
  ["a < b << c", ["a < b << c"]],
  [" \n#### 3", undefined],
  ["", undefined],
])("%j has the steps %j", (solution, steps) => {
  expect(solutionSteps(solution)).toEqual(steps);
});

test("no step is blank, begins or ends with white space, or holds a calculator's mark", () => {
  const texts = fc
    .array(fc.constantFrom("<<1+1=2>>", "####", "\n", "\r", " ", "\t", "a", "<", ">"))
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      for (const step of solutionSteps(text) ?? ["x"]) {
        expect(step).toBe(step.trim());
        expect(step).not.toBe("");
        expect(step).not.toContain("<<1+1=2>>");
      }
    }),
  );
});

test("a local question with a solution has its steps, one without has none", () => {
  const row = { question: "How many?", answer: "12", solution: "4 * 3 = 12\n#### 12" };
  expect(readLocalQuestion(row, 3)).toEqual({
    ...{ id: "line-3", question: "How many?", reference: "12" },
    steps: ["4 * 3 = 12"],
  });
  expect(readLocalQuestion({ ...row, solution: " " }, 3)).not.toHaveProperty("steps");
});
