import { describe, expect, it } from "vitest";
import { numberFromWords } from "./number-words.js";

describe("numberFromWords", () => {
  it.each([
    ["zero", 0],
    ["Eighty", 80],
    ["forty-two", 42],
    ["two hundred and eleven", 211],
    ["one thousand", 1000],
    ["three million two hundred thousand five", 3_200_005],
    ["two point five", 2.5],
    ["about twelve of them", 12],
    ["0015", 15],
  ])("%s", (text, value) => {
    expect(numberFromWords(text)).toBe(value);
  });

  it.each(["", "none", "x+1", "thousand thousand", "one thousand two million"])(
    "finds no number in %j",
    (text) => {
      expect(numberFromWords(text)).toBeUndefined();
    },
  );
});
