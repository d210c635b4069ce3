import { expect, test } from "vitest";
import { impliedNumbers, statedNumbers } from "./stated-numbers.js";

test.each<[string, number[]]>([
  ["He pays $1,200.50 and 30%.", [1200.5, 30]],
  ["\\[ 12 \\times 3{,}000 = 36\\,000 \\]", [12, 3000, 36000]],
  ["\\frac{27}{25} = 1.08, or .5", [27, 25, 1.08, 0.5]],
  ["10-4=6.", [10, 4, 6]],
  ["the pair (3,4)", [3, 4]],
  ["no number", []],
  // Numbering is no statement.
  ["1. Add 4 and 5.\n 2) **Sum**: 9\n### Step 3: done\n**4.** so 9", [4, 5, 9, 9]],
  ["Step 12: it is 7", [7]],
  ["3.5 kg", [3.5]],
])("numbers of %j", (text, numbers) => {
  expect(statedNumbers(text)).toEqual(numbers);
});

test("words bring numbers into a problem", () => {
  expect(impliedNumbers("Twice a week, seventeen of 3 dozen")).toEqual([3, 0.5, 2, 7, 17, 12]);
  expect(impliedNumbers("a third of an hour")).toEqual([3, 60]);
});
