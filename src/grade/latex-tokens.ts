/** The words of a formula in LaTeX. */

export type TokenKind = "number" | "letter" | "differential" | "command" | "primes" | "sign" | "bad" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Digits, the letter, the command without its backslash, or the sign itself. */
  readonly text: string;
  /** White space stands before it. */
  readonly spaced?: boolean;
}

/** Commands that only move things about. */
const spacing = new Set(
  "thinspace medspace thickspace quad qquad negthinspace negmedspace negthickspace left right vrule vcenter vbox vskip vspace hfil".split(
    " ",
  ),
);
const spacingSigns = new Set([",", ":", ";", "!", "*", "-", ".", "/", '"', "(", "="]);
const signs = new Set("+-*/(){}[]|_^:=<>!,.&".split(""));

/** Numbers are read digit by digit: `\frac12` is a half. */
export function latexTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (/\s/.test(character)) at++;
    else if (character === "\\") {
      const name = commandAt(text, at + 1);
      if (name !== "") {
        if (!spacing.has(name)) tokens.push({ kind: "command", text: name });
        at += 1 + name.length;
      } else {
        const next = text[at + 1] ?? "";
        if (next === "{" || next === "}") tokens.push({ kind: "sign", text: `\\${next}` });
        else if (!spacingSigns.has(next)) tokens.push({ kind: "bad", text: `\\${next}` });
        at += 2;
      }
    } else if (character === "d" && /[a-zA-Z\\]/.test(text[at + 1] ?? "")) {
      // dx is one thing: a differential.
      const command = text[at + 1] === "\\" ? commandAt(text, at + 2) : undefined;
      if (command === "") {
        tokens.push({ kind: "letter", text: "d" });
        at++;
      } else {
        tokens.push({ kind: "differential", text: command ?? text[at + 1]! });
        at += command === undefined ? 2 : 2 + command.length;
      }
    } else if (isLetter(character)) {
      tokens.push({ kind: "letter", text: character });
      at++;
    } else if (character >= "0" && character <= "9") {
      tokens.push({ kind: "number", text: character, spaced: /\s/.test(text[at - 1] ?? "") });
      at++;
    } else if (character === "'") {
      let end = at;
      while (text[end] === "'") end++;
      tokens.push({ kind: "primes", text: text.slice(at, end) });
      at = end;
    } else {
      tokens.push({ kind: signs.has(character) ? "sign" : "bad", text: character });
      at++;
    }
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

function commandAt(text: string, from: number): string {
  let end = from;
  while (end < text.length && isLetter(text[end]!)) end++;
  return text.slice(from, end);
}

function isLetter(character: string): boolean {
  return (character >= "a" && character <= "z") || (character >= "A" && character <= "Z");
}
