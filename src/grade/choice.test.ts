import { describe, expect, it } from "vitest";
import { chosenLetter } from "./choice.js";
import { chosenOption } from "./strict/choice.js";

/** What the published rules take, and what a careful reader takes. */
const cases: readonly (readonly [text: string, lenient: string, strict: string])[] = [
  ["The answer is B.", "B", "B"],
  ["the answer is (c)", "C", "C"],
  ["So the correct choice is D", "D", "D"],
  ["Options A and B fail, so only C remains.", "C", "C"],
  ["The answer is A. The others, B and C, are wrong.", "A", "A"],
  ["$\\boxed{\\text{(B) } 40}$", "B", "B"],
  ["\\boxed{\\textbf{(D)}}", "D", "D"],
  ["B) None of these", "B", "B"],
  ["B is right: everything else contradicts the first line.", "B", "B"],
  ["The answer is 8, which is (A).", "A", "A"],
  // Here they part.
  ["We take E, since it is a consequence.", "A", ""],
  ["We pick E, since it is a consequence.", "A", "E"],
  ["It is a matter of taste.", "A", ""],
  ["The options are A, B, C, D.", "D", ""],
  ["AnswerC", "AnswerC", "C"],
  ["\\boxed{\\text{B and C}}", "C", ""],
  ["I thought the answer is B.\n\nBut the answer is A.", "B", "A"],
  ["", "", ""],
];

describe("the letter of a choice", () => {
  it.each(cases)("%j is %j by the rules, %j to a reader", (text, lenient, strict) => {
    expect(chosenLetter(text)).toBe(lenient);
    expect(chosenOption(text)).toBe(strict);
  });
});
