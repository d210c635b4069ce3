/** Reads what is written as in program code: 2*sqrt(3), (1, 2), {1, 3}, 1.5e-3; words are symbols. */
import { type Expression, number, operation, symbol } from "./expression.js";
import type { Token } from "./latex-tokens.js";
import { TokenReader, Unreadable } from "./token-reader.js";

/** Throws `Unreadable`. */
export function readCode(text: string): Expression {
  const tokens = new TokenReader(codeTokens(text));
  const value = readList(tokens);
  if (!tokens.atEnd) throw new Unreadable("more than one expression");
  return value;
}

const functions: Readonly<Record<string, string>> = {
  sqrt: "square-root",
  exp: "exponential",
  log: "logarithm",
  ln: "logarithm",
  sin: "sine",
  cos: "cosine",
  tan: "tangent",
  factorial: "factorial",
  Abs: "absolute",
  abs: "absolute",
  floor: "floor",
  ceiling: "ceiling",
};

const words =
  /\s*(?:(\d+(?:_\d+)*\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/(),[\]{}!]))/y;

function codeTokens(text: string): Token[] {
  const tokens: Token[] = [];
  const trimmed = text.trim();
  words.lastIndex = 0;
  while (words.lastIndex < trimmed.length) {
    const match = words.exec(trimmed);
    if (match === null) throw new Unreadable("no code");
    const [, digits, word, sign] = match;
    if (digits !== undefined) tokens.push({ kind: "number", text: digits.replaceAll("_", "") });
    else if (word !== undefined) tokens.push({ kind: "command", text: word });
    else tokens.push({ kind: "sign", text: sign! });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

/** Items with commas between them make a list even without brackets. */
function readList(tokens: TokenReader): Expression {
  const first = readSum(tokens);
  if (!tokens.isSign(",")) return first;
  const items = [first];
  while (tokens.skip(",")) items.push(readSum(tokens));
  return { kind: "collection", open: "(", items };
}

function readSum(tokens: TokenReader): Expression {
  return tokens.nested(() => {
    const terms = [readProduct(tokens)];
    while (tokens.isSign("+", "-")) {
      const minus = tokens.take().text === "-";
      const term = readProduct(tokens);
      terms.push(minus ? operation("negate", term) : term);
    }
    return terms.length === 1 ? terms[0]! : operation("add", ...terms);
  });
}

function readProduct(tokens: TokenReader): Expression {
  const factors = [readSigned(tokens)];
  while (tokens.isSign("*", "/")) {
    const over = tokens.take().text === "/";
    const factor = readSigned(tokens);
    factors.push(over ? operation("divide", number(1), factor) : factor);
  }
  return factors.length === 1 ? factors[0]! : operation("multiply", ...factors);
}

function readSigned(tokens: TokenReader): Expression {
  return tokens.nested(() => {
    if (tokens.skip("+")) return readSigned(tokens);
    if (tokens.skip("-")) return operation("negate", readSigned(tokens));
    const base = readPrimary(tokens);
    return tokens.skip("**") ? operation("power", base, readSigned(tokens)) : base;
  });
}

function readPrimary(tokens: TokenReader): Expression {
  const { kind, text } = tokens.take();
  let value: Expression;
  if (kind === "number") value = number(Number(text));
  else if (kind === "command") value = tokens.isSign("(") ? readCall(tokens, text) : symbol(text);
  else if (kind === "sign" && (text === "(" || text === "[" || text === "{"))
    value = readBracket(tokens, text);
  else throw new Unreadable("no value");
  if (tokens.skip("!")) value = operation("factorial", value);
  return value;
}

function readCall(tokens: TokenReader, name: string): Expression {
  const operands = readItems(tokens, "(", ")").items;
  const known = functions[name];
  return known === undefined
    ? { kind: "function", name, operands }
    : { kind: "operation", name: known, operands };
}

function readBracket(tokens: TokenReader, open: "(" | "[" | "{"): Expression {
  const { items, commas } = readItems(tokens, open, open === "(" ? ")" : open === "[" ? "]" : "}", false);
  return open === "(" && items.length === 1 && commas === 0 ? items[0]! : { kind: "collection", open, items };
}

function readItems(tokens: TokenReader, open: string, close: string, expectOpen = true) {
  if (expectOpen) tokens.expect(open);
  const items: Expression[] = [];
  let commas = 0;
  while (!tokens.skip(close)) {
    if (items.length > 0) {
      tokens.expect(",");
      commas++;
      if (tokens.skip(close)) break;
    }
    items.push(readSum(tokens));
  }
  return { items, commas };
}
