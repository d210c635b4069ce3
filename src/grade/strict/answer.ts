/** What an answer is: a value, a tuple, a set, a region of numbers, an equation, a matrix or words. */
import { type Expression, number, operation } from "../expression.js";
import { type Dialect, readWhole } from "../latex-reader.js";
import { latexTokens } from "../latex-tokens.js";
import { numberFromWords } from "../number-words.js";
import { isEnclosed, splitOutside, withoutEnd } from "./braces.js";
import { plainNotation } from "./plain-notation.js";
import { measured } from "./units.js";

export type Answer = { readonly unit?: string | undefined } & (
  | { readonly kind: "value"; readonly value: Expression; readonly written: string }
  | {
      readonly kind: "tuple";
      readonly items: readonly Answer[];
      readonly open: string;
      readonly close: string;
    }
  /** Without brackets: often the solutions of something, in any order. */
  | { readonly kind: "list"; readonly items: readonly Answer[] }
  | { readonly kind: "set"; readonly items: readonly Answer[] }
  | { readonly kind: "union"; readonly parts: readonly Answer[] }
  | { readonly kind: "relation"; readonly signs: readonly Sign[]; readonly sides: readonly Answer[] }
  | { readonly kind: "matrix"; readonly rows: readonly (readonly Answer[])[] }
  | { readonly kind: "based"; readonly digits: string; readonly base: string }
  | { readonly kind: "words"; readonly text: string }
);

export type Sign = "=" | "<" | "<=" | ">" | ">=" | "!=";

/** How to read an answer, once the answer that it is compared with is known too. */
export type Reading = (text: string) => Answer;

interface Ways {
  readonly dialect: Dialect;
  /** Words behind a number are units, whatever they are; else they may be products of letters. */
  readonly anyUnit: boolean;
  /** 312,123 is one number; false where the other answer has items between its commas. */
  readonly thousands: boolean;
}

/** One way to read both: a letter is a function in both, as f in f(x), or a factor in both. */
export function readingOf(prediction: string, reference: string): Reading {
  const texts = [prediction, reference];
  const factors = new Set<string>();
  const functions = new Set<string>();
  for (const text of texts) {
    const tokens = latexTokens(plainNotation(cut(text)));
    tokens.forEach(({ kind, text: name }, index) => {
      if (kind !== "letter" && kind !== "command") return;
      const next = tokens[index + 1]!;
      (next.kind === "sign" && next.text === "(" ? functions : factors).add(name);
    });
  }
  const dialect: Dialect = {
    written: true,
    isFunction: (name) => {
      const letter = name.split(/[_']/, 1)[0]!;
      return (
        functions.has(letter) && !factors.has(letter) && letter !== "pi" && letter !== "e" && letter !== "i"
      );
    },
    isSymbol: (command) => symbols.has(command) || command.startsWith("rateof"),
  };
  const anyUnit = !/[a-zA-Z]/.test(
    plainNotation(cut(reference)).replace(/\\text\s*\{[^{}]*\}|\\[a-zA-Z]+/g, ""),
  );
  const items = plainNotation(cut(reference)).replace(/\s/g, "");
  const thousands = !items.includes(",") || /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(items);
  const decimal = /^[\s$]*-?\d*\.\d+[\s$]*$/.test(reference);
  return (text) => {
    // 326,5 is a continental 326.5, if a decimal is what is asked for.
    const pointed = decimal && /^\s*-?\d*,\d+\s*$/.test(text) ? text.replace(",", ".") : text;
    return readPart(plainNotation(cut(pointed)), { dialect, anyUnit, thousands });
  };
}

/** No answer of a question is longer; what is cannot be compared in reasonable time. */
const longestAnswer = 4000;
const cut = (text: string) => (text.length > longestAnswer ? "" : text);

const symbols = new Set(
  "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega pi infty ell hbar aleph partial nabla".split(
    " ",
  ),
);

function readPart(text: string, ways: Ways): Answer {
  const trimmed = bare(text);
  const matrix = readMatrix(trimmed, ways);
  if (matrix !== undefined) return matrix;
  const based = /^([0-9A-F]+)_\s*\{?\s*(?:\\text\s*\{)?\s*([0-9]+|[a-z]{3,})\s*\}?\s*\}?$/.exec(trimmed);
  if (based !== null)
    return { kind: "based", digits: based[1]!, base: String(numberFromWords(based[2]!) ?? based[2]) };
  const builder =
    /^\\?\{\s*\(?\s*([a-zA-Z])\s*(?:\\in\s*\\mathbb\s*\{?R\}?\s*)?(?:\||:|\\mid)(.*)\\?\}$/s.exec(trimmed);
  if (builder !== null) return readPart(builder[2]!.replace(/\\$/, ""), ways);
  const member = /^[a-zA-Z]\s*\\in(?![a-zA-Z])(.*)$/s.exec(trimmed);
  if (member !== null) return readPart(member[1]!, ways);
  const union = splitOutside(trimmed, (rest) => wordLength(rest, "\\cup"));
  if (union.length > 1) return { kind: "union", parts: union.map((part) => readPart(part, ways)) };
  const items = splitOutside(ways.thousands ? withoutThousands(trimmed) : trimmed, separatorLength).filter(
    (part) => part !== "",
  );
  if (items.length > 1) return { kind: "list", items: items.map((item) => readPart(item, ways)) };
  return readBracketed(trimmed, ways) ?? readRelation(trimmed, ways) ?? readMeasured(trimmed, ways);
}

function bare(text: string): string {
  let rest = text.replace(/\\text\s*\{\s*(?:for (?:all|every|any)|where|if) [^{}]*\}.*$/s, "");
  rest = rest.replace(/^\\(?:approx|sim|therefore|quad)(?![a-zA-Z])/, "").replace(/^(?:=|≈|:)/, "");
  rest = rest.replace(/\\text\s*\{\s*(for all|for every)[^{}]*\}[^,]*$/, "").trim();
  const sentence = /^\\text\s*\{([^{}]*)\}$/.exec(rest)?.[1];
  if (sentence !== undefined && /\d/.test(sentence)) rest = sentence;
  // "the point (1, 2)"
  rest = rest.replace(/^\\text\s*\{[^{}\d]*\}\s*(?=[-\d(\\[{a-zA-Z])/, (lead) =>
    isAlone(lead, rest) ? lead : "",
  );
  rest = rest.replace(/^(?:the )?(?:point|points|interval|answer|value|set) (?=[([\\{])/, "");
  while (rest.startsWith("{") && isEnclosed(rest) && closesFirst(rest)) rest = rest.slice(1, -1).trim();
  return withoutEnd(rest, ".;, \n");
}

const isAlone = (lead: string, text: string) => lead.trim() === text.trim();
const closesFirst = (text: string) => !text.endsWith("\\}");

const wordLength = (rest: string, command: string) =>
  rest.startsWith(command) && !/[a-zA-Z]/.test(rest[command.length] ?? "") ? command.length : 0;

/** Comma, semicolon, "and", "or". */
function separatorLength(rest: string, before: string): number {
  if (/^[ao]/.test(rest) && /[a-zA-Z\\]/.test(before)) return 0;
  const match = /^(?:[,;]|\\text\{ *(?:and|or),? *\}|\\vee(?![a-z])|(?:and|or)(?![a-zA-Z]))/.exec(rest);
  return match?.[0].length ?? 0;
}

function withoutThousands(text: string): string {
  const number = /(?<![\d.,(])\d{1,3}(?:,\s?\d{3})+(?![\d,])/g;
  // "1, 234" is a list, "1,234" a number; a text of such groups only may be either, and is a number.
  return text.replace(number, (digits) => (/\s/.test(digits) ? digits : digits.replaceAll(",", "")));
}

function readMatrix(text: string, ways: Ways): Answer | undefined {
  const match =
    /^\\begin\s*\{([pb]?matrix|array)\}(?:\{[^{}]*\})?(.*)\\end\s*\{\1\}\s*(\^\s*\{?\s*(?:T|\\top)\s*\}?)?$/s.exec(
      text,
    );
  if (match === null) return undefined;
  const rows = match[2]!
    .split("\\newrow")
    .map((row) => row.trim())
    .filter((row) => row !== "")
    .map((row) => row.split("&").map((entry) => readPart(entry, ways)));
  if (match[3] === undefined) return { kind: "matrix", rows };
  const width = Math.min(...rows.map((row) => row.length));
  return {
    kind: "matrix",
    rows: Array.from({ length: width }, (_, column) => rows.map((row) => row[column]!)),
  };
}

function readBracketed(text: string, ways: Ways): Answer | undefined {
  const named = text
    .replace(/^[A-Z]\s*(?=\(.*,)/s, "")
    .replace(/\\langle/g, "(")
    .replace(/\\rangle/g, ")");
  const closed = /^[([]/.test(named) && !/[)\]]$/.test(named) && !isEnclosed(named) ? `${named})` : named;
  const braces = /^\\\{(.*)\\\}$/s.exec(closed);
  const inner = braces
    ? braces[1]!
    : isEnclosed(closed) && closed[0] !== "{"
      ? closed.slice(1, -1)
      : undefined;
  if (inner === undefined) return undefined;
  const items = splitOutside(braces && ways.thousands ? withoutThousands(inner) : inner, (rest) =>
    /^[,;]/.test(rest) ? 1 : 0,
  );
  if (braces) {
    const filled = items.filter((item) => item !== "");
    return { kind: "set", items: filled.map((item) => readPart(item, ways)) };
  }
  if (items.length < 2) return isEnclosed(closed) ? readPart(inner, ways) : undefined;
  return {
    kind: "tuple",
    items: items.map((item) => readPart(item, ways)),
    open: closed[0]!,
    close: closed.at(-1)!,
  };
}

const relationSigns: Readonly<Record<string, Sign>> = {
  "=": "=",
  "<": "<",
  ">": ">",
  "\\le": "<=",
  "\\ge": ">=",
  "\\ne": "!=",
  "<=": "<=",
  ">=": ">=",
  "\\lt": "<",
  "\\gt": ">",
};

function readRelation(text: string, ways: Ways): Answer | undefined {
  const signs: Sign[] = [];
  const sides = splitOutside(text, (rest) => {
    const match = /^(?:<=|>=|[=<>]|\\(?:le|ge|ne|lt|gt)(?![a-zA-Z]))/.exec(rest)?.[0];
    if (match === undefined) return 0;
    signs.push(relationSigns[match]!);
    return match.length;
  });
  if (signs.length === 0) return undefined;
  return { kind: "relation", signs, sides: sides.map((side) => readPart(side, ways)) };
}

function readMeasured(text: string, ways: Ways): Answer {
  const { body, unit } = measured(text, ways.anyUnit);
  const value = readValue(body, ways);
  if (value !== undefined) return { ...value, unit };
  return readValue(text, ways) ?? { kind: "words", text: wordsOf(text) };
}

function readValue(text: string, ways: Ways): Answer | undefined {
  if (text === "" || /\\text(?![a-zA-Z])/.test(text)) return undefined;
  const both = /^(.*?)\\pm(?![a-zA-Z])(.*)$/s.exec(text);
  if (both !== null) {
    // Each doubles the values.
    if (text.split("\\pm", 6).length > 5) return undefined;
    const signed = ["+", "-"].map((sign) => readValue(`${both[1]}${sign}${both[2]}`, ways));
    return signed[0] && signed[1] ? { kind: "list", items: signed as Answer[] } : undefined;
  }
  const named = /^[A-Za-z][a-z]{2,}(?:[ -][A-Za-z]+)*$/.test(text);
  const counted = named ? numberFromWords(text) : undefined;
  if (counted !== undefined) return { kind: "value", value: number(counted), written: String(counted) };
  if (/^\d+\s*:\s*\d\d$/.test(text) || named) return undefined;
  const ratio = splitOutside(text, (rest) => (rest.startsWith(":") ? 1 : 0));
  try {
    const values = ratio.map((part) => readWhole(part, ways.dialect));
    return { kind: "value", value: values.reduce((a, b) => operation("divide", a, b)), written: text };
  } catch {
    // Not a formula.
    return undefined;
  }
}

function wordsOf(text: string): string {
  return text
    .replace(/\\text\s*\{([^{}]*)\}/g, " $1 ")
    .replace(/[{}.,!"'\\]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
