/** JSON from strangers: how deep it goes before it is parsed, and where it breaks when it does not parse. */

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [34, 92, 91, 93, 123, 125];

/** The position at which the nesting gets deeper than this; undefined if it never does. Linear, and without recursion. */
export function tooDeepAt(text: string, deepest: number): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at);
    else if (code === openBracket || code === openBrace) {
      if (++depth > deepest) return at;
    } else if (code === closeBracket || code === closeBrace) depth--;
  }
  return undefined;
}

/** The position of the closing quote; the text's length where there is none. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    at += code === backslash ? 2 : 1;
  }
  return at;
}

const space = /[ \t\n\r]*/y;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escaped = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/** Where JSON text stops being JSON: engines tell it for some texts only. The text's length where it ends too early. */
export function brokenAt(text: string): number {
  const open: ("{" | "[")[] = [];
  let at = 0;
  let wants: "value" | "key" | "colon" | "comma" = "value";
  /** Whether the bracket may close where a value or key is wanted. */
  let mayClose = false;
  while (true) {
    at = after(space, text, at) ?? at;
    const character = text[at];
    const inside = open.at(-1);
    if (character === undefined) return text.length;
    if (wants === "comma" && inside === undefined) return at;
    if (wants === "colon") {
      if (character !== ":") return at;
      [wants, mayClose] = ["value", false];
      at++;
    } else if (character === (inside === "{" ? "}" : "]") && (wants === "comma" || mayClose)) {
      open.pop();
      wants = "comma";
      at++;
    } else if (wants === "comma") {
      if (character !== ",") return at;
      [wants, mayClose] = [inside === "{" ? "key" : "value", false];
      at++;
    } else if (wants === "value" && (character === "{" || character === "[")) {
      open.push(character);
      [wants, mayClose] = [character === "{" ? "key" : "value", true];
      at++;
    } else {
      const string = character === '"' ? afterString(text, at) : undefined;
      if (string && !string.whole) return string.at;
      const end = string?.at ?? (wants === "value" ? after(scalar, text, at) : undefined);
      if (end === undefined) return at;
      at = end;
      wants = wants === "key" ? "colon" : "comma";
    }
  }
}

/** Behind the closing quote; not whole: where the string breaks. */
function afterString(text: string, start: number): { readonly at: number; readonly whole: boolean } {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) return { at: at + 1, whole: true };
    if (code < 32) return { at, whole: false };
    const next = code === backslash ? after(escaped, text, at) : at + 1;
    if (next === undefined) return { at, whole: false };
    at = next;
  }
  return { at: text.length, whole: false };
}

function after(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
