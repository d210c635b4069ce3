import { describe, expect, it } from "vitest";
import { extractAnswer } from "./extract.js";

describe("extractAnswer", () => {
  const cases: readonly (readonly [what: string, text: string, answer: string])[] = [
    ["boxed", "So \\boxed{42}.", "42"],
    ["the last of several boxes", "\\boxed{1} no, \\boxed{2}", "2"],
    ["nested braces", "Thus $\\boxed{\\frac{1}{2}}$.", "\\frac{1}{2}"],
    ["a box without braces", "$\\boxed 7$ apples", "7"],
    ["a box that was cut", "\\boxed{12 + 3", "12 + 3"],
    ["an empty box", "\\boxed{}", ""],
    ["boxed before a phrase", "\\boxed{3}. The answer is 4.", "3"],
    ["Minerva's phrase before boxed", "\\boxed{1} The final answer is $5$. I hope it is correct.", "5"],
    ["the answer is", "The answer is 18.", "18"],
    ["the last phrase", "The answer is 1. No, the answer is: 2", "2"],
    ["final answer is", "My final answer is x = 3.", "x = 3"],
    ["Chinese", "所以答案是 9\n\n谢谢", "9"],
    ["the last number", "I count 1,234 and then 5,678 of them", "5678"],
    ["a negative decimal", "It falls to -0.25 degrees", "-0.25"],
    ["a number without a leading digit", "about .5", ".5"],
    ["an answer over several lines", "The answer is\n  (1,\n   2)", "(1,2)"],
    ["a colon and a full stop", "The answer is: 10.", "10"],
    ["nothing to find", "I do not know", ""],
    ["no text", "", ""],
  ];
  it.each(cases)("%s", (_, text, answer) => {
    expect(extractAnswer(text)).toBe(answer);
  });

  it("stays linear on a long hostile text", () => {
    const text = `boxed${"{".repeat(200_000)}`;
    expect(extractAnswer(text)).toBe("{".repeat(199_999));
  });
});
