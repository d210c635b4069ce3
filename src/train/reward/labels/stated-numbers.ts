/** Which numbers a text states. */
import { numberFromWords } from "../../../grade/number-words.js";

/** `1.`, `Step 2:` or `### 3)` at a line's beginning says where a step stands, not what it found. */
const enumeration = /^[ \t]*(?:[#*]+[ \t]*)?(?:step[ \t]+)?\d{1,3}[.:)](?=\s|\*)/gim;
/** How LaTeX and English group digits: `1{,}200`, `1\,200`, `1,200`. */
const grouping = /(?<=\d)(?:\{,\}|\\[,!]|,)(?=\d{3}(?!\d))/g;
const figures = /\d+(?:\.\d+)?|\.\d+/g;

/** Words that bring a number into a problem without being one. */
const words = new Map<string, readonly number[]>([
  ...pairs([0.5, 2], "half halves twice double doubles doubled pair pairs couple"),
  ...pairs([3], "thrice triple triples tripled third thirds"),
  ...pairs([4], "quarter quarters fourth fourths quadruple"),
  ...pairs([5], "fifth fifths"),
  ...pairs([7], "week weeks weekly"),
  ...pairs([10], "tenth tenths decade decades dime dimes"),
  ...pairs([12], "dozen dozens"),
  ...pairs([12, 52, 365], "year years yearly annual annually"),
  ...pairs([24], "day days daily"),
  ...pairs([30], "month months monthly"),
  ...pairs([60], "hour hours hourly minute minutes"),
]);

function pairs(values: readonly number[], names: string): (readonly [string, readonly number[]])[] {
  return names.split(" ").map((name) => [name, values]);
}

/** In figures, without signs and without the numbering of steps. */
export function statedNumbers(text: string): number[] {
  return (text.replace(enumeration, "").replace(grouping, "").match(figures) ?? []).map(Number);
}

/** In figures and in words, and those that everyday words stand for: a dozen, a week. */
export function impliedNumbers(text: string): number[] {
  const named = (text.toLowerCase().match(/[a-z]+/g) ?? []).flatMap(
    (word) => words.get(word) ?? numberFromWords(word) ?? [],
  );
  return [...statedNumbers(text), ...named];
}
