import { describe, expect, it } from "vitest";
import { lenientVerdict } from "./lenient-verdict.js";
import { strictVerdict } from "./strict/verdict.js";

type Case = readonly [answer: string, reference: string, correct: boolean, strict: boolean];

/** Answers in a box, with both verdicts: by the published rules, and a careful reader's. */
const cases: readonly Case[] = [
  ["\\frac12", "0.5", true, true],
  ["50\\%", "\\frac12", false, true],
  ["50\\%", "0.5", true, true],
  ["1/2", "\\frac{1}{2}", true, true],
  ["(1,2]", "(1,2]", true, true],
  ["(1,2)", "(1,2]", true, false],
  ["x=3", "3", true, true],
  ["3 = x", "3", false, true],
  ["7,000", "7000", true, true],
  ["5 \\text{ cm}", "5", true, true],
  ["5 \\text{ cm}", "5 \\text{ m}", true, false],
  ["5\\text{ in}^2", "5 \\text{ inches}^2", false, true],
  ["540", "54000", true, false],
  ["60001", "60000", true, false],
  ["0.3333", "\\frac13", true, false],
  ["0.333333333", "\\frac13", true, true],
  ["85.\\overline{714285}", "\\frac{600}{7}", false, true],
  ["1\\frac{4}{5}", "1.8", false, true],
  ["1\\frac{4}{5}", "0.8", true, false],
  ["12\\pi", "37.699111843077517", false, true],
  ["12π", "12\\pi", false, true],
  ["2*sqrt(3)", "2\\sqrt{3}", false, true],
  ["1, -2", "-2, 1", false, true],
  ["1, 17", "1, -2", true, false],
  ["\\{3, 1\\}", "\\{1, 3\\}", true, true],
  ["(3, 1)", "(1, 3)", false, false],
  ["3 \\pm 1", "2, 4", false, true],
  ["x \\ge 2", "[2, \\infty)", false, true],
  ["-1 < x \\le 3", "(-1, 3]", false, true],
  ["\\{x : x > 2\\}", "(2, \\infty)", false, true],
  ["(3,\\infty) \\cup (-\\infty,2)", "(-\\infty,2) \\cup (3,\\infty)", false, true],
  ["2y = 4x + 6", "y = 2x + 3", false, true],
  ["x = 2y + 3", "y = 2x + 3", false, false],
  ["f(x) = x^2", "f(n) = n^2", false, true],
  ["4210_{\\text{five}}", "4210_5", true, true],
  ["4210_6", "4210_5", true, false],
  ["\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "(1,2)", false, true],
  ["\\begin{pmatrix} 1 & 2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", false, false],
  ["1.39 \\times 10^{-10}", "1.39e-10", false, true],
  ["\\mathrm{ellipse}", "\\text{ellipse}", false, true],
  ["anything", "\\text{east}", true, false],
  ["Eighty", "80", true, true],
  ["(m+5)(b+2)", "(a+5)(b+2)", true, false],
  ["n(n+1)", "n^2+n", false, true],
  ["288\\pi \\approx 904.78", "288\\pi", false, true],
  ["1:58 pm", "1:58 am", true, false],
  ["28^2", "28", false, false],
  ["", "5", false, false],
];

describe("both verdicts", () => {
  it.each(cases)("%s for %s: %s by the rules, %s to a reader", (answer, reference, correct, strict) => {
    const pair = { prediction: `So it is $\\boxed{${answer}}$.`, reference };
    expect({ correct: lenientVerdict(pair).correct, strict: strictVerdict(pair) }).toEqual({
      correct,
      strict,
    });
  });

  it.each<readonly [text: string, correct: boolean]>([
    ["The answer is $\\boxed{8}$. As asked, I have boxed the result.", false],
    ["The result is $8$, which I have boxed", false],
    ["The answer is 8.\n\nLet me know if you need more details.", false],
    ["The answer is 8 because all other cases were ruled out.", false],
    ["So the answer is\n\\[8.\\]", false],
    ["She has 8 left after 3 days.", false],
    ["<think>\\boxed{5}?</think> \\boxed{8}", true],
    ['{"answer": "8"}', true],
    ["### Final Answer\n**8**", true],
    ["First $\\boxed{5}$, but checking again it is $\\boxed{8}$.", true],
    ["The answer is 8.\n\nQuestion: another?\n\nThe answer is 5.", false],
    ["\\boxed{8", true],
    ["#### 8", true],
  ])("a reader finds the answer in %j", (prediction, correct) => {
    expect(strictVerdict({ prediction, reference: "8" })).toBe(true);
    expect(lenientVerdict({ prediction, reference: "8" }).correct).toBe(correct);
  });

  it("goes by letters where the task is one of choices", () => {
    const pair = { prediction: "The answer is (B).", reference: "B" };
    expect(lenientVerdict({ ...pair, task: "aqua" })).toEqual({ correct: true, extracted: "B" });
    expect(strictVerdict({ ...pair, task: "aqua" })).toBe(true);
    expect(strictVerdict({ ...pair, reference: "C", task: "aqua" })).toBe(false);
  });
});
