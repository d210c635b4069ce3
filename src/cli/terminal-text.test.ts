import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clip, columnsOf, harmless, oneLine, padStart, wrap } from "./terminal-text.js";

describe("harmless", () => {
  it("shows escape codes, bells, returns and direction marks as text", () => {
    expect(harmless("\x1b[2J\x07\r\u202eabc\u2066\u0085")).toBe("␛[2J␇␍<U+202E>abc<U+2066><U+0085>");
  });

  it("lets no control character through but the line break", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(harmless(text).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });

  it("keeps tabs and line ends readable", () => {
    expect(harmless("a\tb\r\nc")).toBe("a  b\nc");
  });
});

describe("columns", () => {
  it.each([
    ["plain", "abc", 3],
    ["Han", "数学", 4],
    ["Hangul", "수학", 4],
    ["a combining accent", "e\u0301", 1],
    ["an emoji", "🍞", 2],
    ["a family of four joined", "👨‍👩‍👧‍👦", 2],
    ["a flag", "🇳🇱", 2],
    ["half-width katakana", "ｶ", 1],
    ["a multiplication sign", "7 × 12", 6],
    ["box drawing", "│┆✗…", 4],
  ])("of %s", (_, text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });
});

describe("clip and wrap", () => {
  it("cuts with an ellipsis within the columns", () => {
    expect(clip("twelve rolls", 8)).toBe("twelve…");
    expect(columnsOf(clip("数学数学数学", 6))).toBeLessThanOrEqual(6);
  });

  it("breaks at spaces, and long words anywhere", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
    expect(wrap("abcdefghijklmnop", 8)).toEqual(["abcdefgh", "ijklmnop"]);
  });

  it("never exceeds the columns and loses nothing but spaces", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b", " ", "数", "🍞", "é", "\n"), maxLength: 120 }),
        fc.integer({ min: 8, max: 40 }),
        (text, columns) => {
          const lines = wrap(text, columns);
          for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
          expect(lines.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
        },
      ),
    );
  });

  it("pads by columns", () => {
    expect(padStart("数", 4)).toBe("  数");
  });

  it("puts a step on one line", () => {
    expect(oneLine(" a\n\n b\t c ")).toBe("a b c");
  });
});
