import { describe, expect, it } from "vitest";
import { normaliseAnswer } from "./normalise.js";
import { normaliseReference } from "./reference.js";

describe("normaliseAnswer", () => {
  it.each([
    ["\\dfrac12", "\\frac{1}{2}"],
    ["\\frac1{72}", "\\frac{1}{72}"],
    ["3/4", "\\frac{3}{4}"],
    ["x/4", "x/4"],
    ["\\sqrt3", "\\sqrt{3}"],
    ["x = 5", "5"],
    ["f(x) = 5", "f(x)=5"],
    ["12 \\text{ cm}", "12"],
    ["\\text{ellipse}", "ellipse"],
    ["90^\\circ", "90"],
    ["40\\%", "40"],
    ["\\$7.00", "7"],
    ["[2, infinity)", "[2,\\infty)"],
    ["\\left(1, 2\\right)", "(1,2)"],
    ["\\begin{bmatrix} 1 \\\\ 2 \\end{bmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"],
    [".5", "0.5"],
    ["1+2j", "1+2i"],
    ["5 hours", "5"],
    ["", ""],
  ])("%s becomes %s", (answer, normalised) => {
    expect(normaliseAnswer(answer)).toBe(normalised);
  });

  it("keeps the units of quantities", () => {
    expect(normaliseAnswer("3 m")).toBe("3");
    expect(normaliseAnswer("3 m", { keepUnits: true })).toBe("3m");
    expect(normaliseReference("minerva", "3 m")).toBe("3m");
    expect(normaliseReference("math500", "3 m")).toBe("3");
  });
});
