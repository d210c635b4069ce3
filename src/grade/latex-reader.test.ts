import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formOf } from "./expression.js";
import { type Dialect, lenientDialect, readBeginning, readWhole } from "./latex-reader.js";
import { constantValue } from "./same-value.js";
import { Unreadable } from "./token-reader.js";

const written: Dialect = {
  written: true,
  isFunction: (name) => name === "f",
  isSymbol: (command) => command === "pi",
};

describe("the lenient reader", () => {
  it.each([
    ["5,17", "5"],
    ["5)", "5"],
    ["40_9", "40"],
    ["1,234", "1234"],
    ["2x3", "multiply(2 3)"],
    ["1/2x", "multiply(1 divide(1 multiply(2 x)))"],
    ["n(n+1)", "'n(add(n 1))"],
    ["\\cos2t+1", "add(cosine(multiply(2 t)) 1)"],
    ["\\frac{dx}{dt}=1", "dx/dt = 1"],
    ["x\\ge2", "x >= 2"],
    ["3\\pm1", "multiply(3 pm 1)"],
    ["ad", "multiply(a d)"],
    ["adx", "multiply(a dx)"],
    ["x_{12}'", "x_12'"],
  ])("reads %s as %s", (text, form) => {
    expect(formOf(readBeginning(text, lenientDialect))).toBe(form);
  });

  it.each(["", "(2,3)", "(5", "\\frac{}{2}", "12π", "5\\%", "2..3", "{1,3}"])("cannot read %j", (text) => {
    expect(() => readBeginning(text)).toThrow(Unreadable);
  });
});

describe("the reader of what people write", () => {
  it.each([
    ["1\\frac{1}{2}", 1.5],
    ["\\sqrt2\\sqrt2", 2],
    ["\\sqrt[3]{-8}", -2],
    ["10^-2", 0.01],
    ["7(504)", 3528],
    ["\\lfloor 54.4 \\rfloor", 54],
    ["\\binom{5}{2}", 10],
    ["5!", 120],
    ["|{-3}|", 3],
    ["\\log_2 8", 3],
    ["\\sum_{k=1}^{4} k^2", 30],
    ["2^{3^2}", 512],
  ])("%s is %d", (text, value) => {
    expect(constantValue(readWhole(text, written))?.re).toBeCloseTo(value, 10);
  });

  it("refuses what it does not understand to the end", () => {
    for (const text of ["5,17", "2)", "\\unknown", "3+"])
      expect(() => readWhole(text, written)).toThrow(Unreadable);
  });

  it("either reads a text or says that it cannot", () => {
    const pieces = fc.constantFrom(
      ..."0 1 x f ( ) { } [ ] ^ _ + - * / , . = ! | ' \\frac \\sqrt \\sin \\pi".split(" "),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        for (const dialect of [lenientDialect, written]) {
          try {
            formOf(readBeginning(parts.join(""), dialect));
          } catch (error) {
            expect(error).toBeInstanceOf(Unreadable);
          }
        }
      }),
    );
  });
});
