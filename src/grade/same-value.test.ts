import { describe, expect, it } from "vitest";
import { gamma, real } from "./complex.js";
import { type Dialect, readWhole } from "./latex-reader.js";
import { sameValue } from "./same-value.js";
import { constants } from "./strict/constants.js";

const dialect: Dialect = { written: true, isFunction: (name) => name === "f", isSymbol: () => true };
const read = (text: string) => readWhole(text, dialect);
const same = (a: string, b: string) => sameValue(read(a), read(b), { constants });

describe("sameValue", () => {
  it.each([
    ["(x+1)^2", "x^2+2x+1"],
    ["\\sin^2 x+\\cos^2 x", "1"],
    ["\\frac{n(n+1)(2n+1)}{6}", "\\frac{2n^3+3n^2+n}{6}"],
    ["2e^{i\\pi/3}", "1+\\sqrt{3}i"],
    ["\\frac{n!}{(n-1)!}", "n"],
    ["f(x+1)", "f(1+x)"],
    ["\\ln(x^2)-\\ln x", "\\ln(x^2)-\\ln x"],
    ["\\sqrt{-1}", "i"],
    ["\\tan\\frac{\\pi}{6}", "\\frac{\\sqrt{3}}{3}"],
  ])("%s is %s", (a, b) => {
    expect(same(a, b)).toBe(true);
  });

  it.each([
    ["x", "y"],
    ["f(x)", "f(x+1)"],
    ["g x", "h x"],
    ["\\lfloor x\\rfloor", "\\lceil x\\rceil"],
    ["|x|", "x"],
    ["0.333333333", "\\frac13"],
    ["1/0", "2/0"],
  ])("%s is not %s", (a, b) => {
    expect(same(a, b)).toBe(false);
  });

  it("knows the gamma function", () => {
    expect(gamma(real(5)).re).toBeCloseTo(24, 9);
    expect(gamma(real(0.5)).re).toBeCloseTo(Math.sqrt(Math.PI), 12);
    expect(gamma(real(-1.5)).re).toBeCloseTo((4 * Math.sqrt(Math.PI)) / 3, 12);
  });
});
