import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blankLine, parseSplitter, type Splitter, stepEnds } from "./step.js";

/** The steps of a text whose tokens are these pieces. */
function cut(splitter: Splitter, pieces: readonly string[]): string[] {
  const steps: string[] = [];
  let [text, count] = ["", 0];
  for (const piece of pieces) {
    text += piece;
    count++;
    if (!stepEnds(splitter, text, count)) continue;
    steps.push(text);
    [text, count] = ["", 0];
  }
  if (text !== "") steps.push(text);
  return steps;
}

describe("a blank line", () => {
  test.each([
    ["in a token of its own", ["x", ".", "\n\n", "y"], ["x.\n\n", "y"]],
    ["in two tokens", ["x.", "\n", "\n", "y"], ["x.\n\n", "y"]],
    ["joined with the end of the sentence", ["x", ".\n\n", "y"], ["x.\n\n", "y"]],
    ["with more line breaks", ["x.", "\n\n\n", "y"], ["x.\n\n\n", "y"]],
    ["with the start of what follows", ["x.", "\n\n\\[", "y"], ["x.\n\n\\[", "y"]],
    ["before a step belongs to it", ["\n\n", "x", "\n\n", "y"], ["\n\nx\n\n", "y"]],
    ["is not one line break", ["x", "\n", "y", "\n"], ["x\ny\n"]],
  ])("%s", (_, pieces, steps) => {
    expect(cut(blankLine, pieces)).toEqual(steps);
  });

  test("however the text falls into pieces, the steps without what is glued to them are the same", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const text = "one.\n\ntwo\nlines.\n\nthree";
        const pieces: string[] = [];
        for (let at = 0, index = 0; at < text.length; index++) {
          const length = lengths[index % lengths.length]!;
          pieces.push(text.slice(at, at + length));
          at += length;
        }
        const steps = cut(blankLine, pieces);
        expect(steps.join("")).toBe(text);
        expect(steps.length).toBe(3);
      }),
    );
  });

  test("nothing but blanks ends too", () => {
    const steps = cut(
      blankLine,
      Array.from({ length: 100 }, () => "\n"),
    );
    expect(Math.max(...steps.map((step) => step.length))).toBeLessThan(40);
  });
});

test("sentences end at a mark that white space follows, not inside numbers", () => {
  const pieces = [..."It is 3.14. Is it? Yes! (So.) End\nnew"];
  expect(cut({ kind: "sentence" }, pieces)).toEqual([
    "It is 3.14. ",
    "Is it? ",
    "Yes! ",
    "(So.) ",
    "End\n",
    "new",
  ]);
});

test("a number of tokens, and nothing", () => {
  const pieces = ["a", "b", "c", "d", "e"];
  expect(cut({ kind: "tokens", count: 2 }, pieces)).toEqual(["ab", "cd", "e"]);
  expect(cut({ kind: "none" }, [...pieces, "\n\n", "f"])).toEqual(["abcde\n\nf"]);
});

test("names of splitters", () => {
  expect(parseSplitter("blank-line")).toEqual(blankLine);
  expect(parseSplitter("line")).toEqual({ kind: "delimiter", delimiter: "\n" });
  expect(parseSplitter("sentence")).toEqual({ kind: "sentence" });
  expect(parseSplitter("tokens:64")).toEqual({ kind: "tokens", count: 64 });
  expect(parseSplitter("text:Step")).toEqual({ kind: "delimiter", delimiter: "Step" });
  for (const wrong of ["", "tokens:0", "tokens:-1", "tokens:1e9", "text:", "paragraph"]) {
    expect(parseSplitter(wrong)).toBeUndefined();
  }
});
