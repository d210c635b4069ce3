import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brokenAt, tooDeepAt } from "./json-text.js";

describe("JSON from strangers", () => {
  it.each([
    ["", 0],
    ["  ", 2],
    ["hello", 0],
    ["truth", 0],
    ['{"model": }', 10],
    ['{"a": 1,}', 8],
    ["[1, 2,]", 6],
    ["{,}", 1],
    ['{"a" 1}', 5],
    ["[1 2]", 3],
    ["[1]]", 3],
    ["[}", 1],
    ["{1: 2}", 1],
    ['{"n": NaN}', 6],
    ["[01]", 2],
    ["[1.]", 2],
    ['["\\x"]', 2],
    ['["line\nbreak"]', 6],
    ['["open', 6],
    ['{"a": [1, {"b": 2}', 18],
  ])("%j breaks at %i", (text, position) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(brokenAt(text)).toBe(position);
  });

  it("breaks nowhere before its end where it is JSON", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(brokenAt(text)).toBe(text.length);
      }),
    );
  });

  it("counts brackets outside of strings", () => {
    expect(tooDeepAt('[{"a": "[[[["}]', 2)).toBeUndefined();
    expect(tooDeepAt('[{"a": "\\"[[", "b": [1]}]', 2)).toBe(20);
    expect(tooDeepAt("[".repeat(1_000_000), 64)).toBe(64);
  });
});
