/** Whether two normalised answers are equal by the Qwen2.5-Math rules (card, grading step 5); leniencies included. */
import { chosenLetter } from "./choice.js";
import { readCode } from "./code-expression.js";
import { difference, type Expression, formOf, operation } from "./expression.js";
import { readBeginning } from "./latex-reader.js";
import { matrixRows } from "./matrix.js";
import { isLetter } from "./rules.js";
import { constantValue, sameValue } from "./same-value.js";

/** The first of these rules that holds decides. */
export function lenientlyEqual(prediction: string, reference: string): boolean {
  if (prediction.trim().toLowerCase() === reference.trim().toLowerCase()) return true;
  if (isLetter(reference) && chosenLetter(prediction) === reference) return true;
  const [a, b] = [plainNumber(prediction), plainNumber(reference)];
  if (a !== undefined && b !== undefined) return [b / 100, b, b * 100].some((value) => isClose(a, value));
  if (prediction === "") return false;
  return (
    sameWithoutBrackets(prediction, reference) ||
    sameParts(prediction, reference) ||
    sameMatrix(prediction, reference) ||
    sameEquation(prediction, reference) ||
    sameExpression(prediction, reference)
  );
}

/** Commas removed, a trailing percent sign is a hundredth; as forgiving as programming languages are. */
function plainNumber(text: string): number | undefined {
  const plain = text.replaceAll(",", "").trim();
  const number = /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
  if (number.test(plain)) return Number(plain.replaceAll("_", ""));
  const percent = /^(.*?)\\?%$/.exec(plain)?.[1];
  return percent !== undefined && number.test(percent) ? Number(percent) / 100 : undefined;
}

function isClose(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= 1e-4 * Math.max(Math.abs(a), Math.abs(b));
}

function sameWithoutBrackets(prediction: string, reference: string): boolean {
  const square = prediction.startsWith("[") && prediction.endsWith("]") && !reference.startsWith("(");
  const round = prediction.startsWith("(") && prediction.endsWith(")") && !reference.startsWith("[");
  const bare = (text: string) => {
    const inner = square || round ? withoutOuter(text) : text;
    return inner.replace(/[{}()]/g, "").toLowerCase();
  };
  return bare(prediction) === bare(reference);
}

function withoutOuter(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && "[]()".includes(text[start]!)) start++;
  while (end > start && "[]()".includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** Tuples and intervals part by part; which brackets they have does not matter. */
function sameParts(prediction: string, reference: string): boolean {
  if (!opensWithBracket(prediction) || !opensWithBracket(reference)) return false;
  const [a, b] = [prediction, reference].map((text) => text.slice(1, -1).split(","));
  return a!.length === b!.length && a!.every((part, index) => lenientlyEqual(part, b![index]!));
}

function opensWithBracket(text: string): boolean {
  return (text[0] === "(" || text[0] === "[") && Math.max(text.lastIndexOf(")"), text.lastIndexOf("]")) >= 2;
}

function sameMatrix(prediction: string, reference: string): boolean {
  const [a, b] = [matrixRows(prediction), matrixRows(reference)];
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return a.every(
    (row, at) =>
      row.length === b[at]!.length && row.every((entry, column) => lenientlyEqual(entry, b[at]![column]!)),
  );
}

function sameEquation(prediction: string, reference: string): boolean {
  const [a, b] = [prediction.split("="), reference.split("=")];
  const short = (sides: string[]) => sides.length === 2 && sides[0]!.trim().length <= 2;
  if (a.length === 2 && b.length === 2) {
    const [left, right] = [a, b].map((sides) => `${sides[0]!.trim()} - (${sides[1]!.trim()})`);
    return sameExpression(left!, right!) || sameExpression(`-(${left})`, right!);
  }
  if (short(a) && b.length === 1) return lenientlyEqual(a[1]!, reference);
  if (short(b) && a.length === 1) return lenientlyEqual(prediction, b[1]!);
  return false;
}

function sameExpression(prediction: string, reference: string): boolean {
  const [a, b] = [read(prediction), read(reference)];
  if (a === undefined || b === undefined) return false;
  if (formOf(a) === formOf(b)) return true;
  if (a.kind === "relation" && b.kind === "relation") {
    const [x, y] = [a, b].map(({ left, right }) => operation("absolute", difference(left, right)));
    return sameValue(x!, y!);
  }
  if (sameValue(a, b)) return true;
  const [x, y] = [constantValue(a), constantValue(b)];
  return x !== undefined && y !== undefined && x.im === 0 && y.im === 0 && isClose(x.re, y.re);
}

/** As LaTeX, with doubled backslashes halved first, or as code. */
function read(text: string): Expression | undefined {
  const halved = text.replaceAll("\\\\", "\\");
  for (const attempt of [() => readBeginning(halved), () => readBeginning(text), () => readCode(halved)]) {
    try {
      return attempt();
    } catch {
      // Not readable this way.
    }
  }
  return undefined;
}
