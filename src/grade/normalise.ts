/** Brings an answer into the one notation in which the Qwen2.5-Math rules compare (card, grading step 4). */
import { numberFromWords } from "./number-words.js";
import { removeUnitWords } from "./unit-words.js";

export interface Normalising {
  /** Minerva's references are quantities: their units stay. */
  readonly keepUnits?: boolean;
}

/** The answer in that notation, without spaces. */
export function normaliseAnswer(answer: string, { keepUnits = false }: Normalising = {}): string {
  let text = dropTextTail(sameCommands(withoutTrailingDots(answer.trim().replaceAll("\n", ""))));
  if (!keepUnits) text = removeUnitWords(text);
  text = text.replaceAll("^{\\circ}", "").replaceAll("^\\circ", "");
  for (const mark of ["\\$", "$", "\\(", "\\)"]) text = text.replaceAll(mark, "");
  text = String(numberFromWords(text) ?? text);
  text = unwrapText(text).replaceAll(" ", "");
  for (const label of ["x=", "y=", "z=", "x\\in", "y\\in", "z\\in", "x\\to", "y\\to", "z\\to"])
    text = text.replaceAll(label, "");
  text = text.replaceAll("\\emptyset", "{}").replaceAll("(-\\infty,\\infty)", "\\mathbb{R}");
  for (const percent of ["\\%", "%"]) text = text.replaceAll(percent, "");
  text = text.replaceAll("{.", "{0.").replaceAll("infinity", "\\infty");
  if (!text.includes("\\infty")) text = text.replaceAll("inf", "\\infty");
  text = withoutBoxes(text.replaceAll("and", "").replaceAll("\\mathbf", ""));
  if (text.includes("j") && !text.includes("i")) text = text.replaceAll("j", "i");
  text = withoutZeroDecimals(text);
  if (text.startsWith(".")) text = `0${text}`;
  text = withoutShortLabel(text).replace(/\\sqrt([\p{L}\p{N}_]+)/gu, "\\sqrt{$1}");
  return slashedFraction(bracedFractions(text));
}

function withoutTrailingDots(text: string): string {
  let end = text.length;
  while (text[end - 1] === ".") end--;
  return text.slice(0, end);
}

function sameCommands(text: string): string {
  return text
    .replaceAll("\\!", "")
    .replace(/\\begin\{array\}\{[^{}\n]{0,200}\}/g, "\\begin{pmatrix}")
    .replaceAll("\\end{array}", "\\end{pmatrix}")
    .replaceAll("bmatrix", "pmatrix")
    .replace(/[td]frac/g, "frac")
    .replace(/\\(neq|leq|geq)/g, (_, name: string) => `\\${name.slice(0, -1)}`)
    .replace(/\\(left|right)/g, "")
    .replaceAll("\\{", "{")
    .replaceAll("\\}", "}");
}

/** From the first `\text{` on, if the text ends with a brace: mostly a unit, so it goes unless it is everything. */
function dropTextTail(text: string): string {
  const start = text.indexOf("\\text{");
  if (start < 0 || !text.endsWith("}") || text.length < start + "\\text{}".length) return text;
  return text.slice(0, start).trim() || text;
}

function unwrapText(text: string): string {
  return replaceBraced(text, "\\text{", (inside) => inside);
}

function withoutBoxes(text: string): string {
  return replaceBraced(text, "\\mbox{", () => "");
}

/** Replaces each command with what it holds up to the next brace, in linear time even if that brace is missing. */
function replaceBraced(text: string, start: string, replace: (inside: string) => string): string {
  let result = "";
  let at = 0;
  for (;;) {
    const from = text.indexOf(start, at);
    const end = from < 0 ? -1 : text.indexOf("}", from);
    if (end < 0) return result + text.slice(at);
    result += text.slice(at, from) + replace(text.slice(from + start.length, end));
    at = end + 1;
  }
}

/** 5.0 and 5.000 are 5, wherever they stand. */
function withoutZeroDecimals(text: string): string {
  return text.replace(/([0-9])\.0*([^0-9]|$)/g, "$1$2");
}

/** "k=3" is 3; a longer left side belongs to the answer. */
function withoutShortLabel(text: string): string {
  const sides = text.split("=", 3);
  return sides.length === 2 && sides[0]!.length <= 2 ? sides[1]! : text;
}

/** \frac12 and \frac1{2} are \frac{1}{2}. */
function bracedFractions(text: string): string {
  const [start, ...rest] = text.split("\\frac");
  if (rest.some((part) => part.length < 2 && !part.startsWith("{"))) return text;
  const braced = rest.map((part) => {
    if (part.startsWith("{")) return part;
    const [upper, lower] = [part[0]!, part[1]!];
    return lower === "{" ? `{${upper}}${part.slice(1)}` : `{${upper}}{${lower}}${part.slice(2)}`;
  });
  return [start, ...braced].join("\\frac");
}

/** 3/4 as a fraction; sums and products keep their slash. */
function slashedFraction(text: string): string {
  const sides = text.split("/", 3);
  if (sides.length !== 2) return text;
  const plain = sides.every((side) => side.includes("sqrt") || /^-?(0|[1-9][0-9]*)$/.test(side));
  return plain ? `\\frac{${sides[0]}}{${sides[1]}}` : text;
}
