/** Text as a terminal shows it: harmless, measured in columns, wrapped. */

import type { Output } from "./host.js";

/** Controls but line break and tab, and the marks that reorder what follows them. */
const hidden = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u2028\u2029]/gu;

/** A model's text may hold escape codes and direction marks: they are shown, never obeyed. */
export function harmless(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(hidden, (mark) => {
    const code = mark.codePointAt(0)!;
    if (mark === "\n") return mark;
    if (mark === "\t") return "  ";
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/** On one line: every run of white space is one space. */
export function oneLine(text: string): string {
  return harmless(text).replace(/\s+/g, " ").trim();
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const narrow = /^[\u0020-\u1099\u1160-\u2319\uff61-\uff9f]/;
const wide =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;
const invisible = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

function graphemeColumns(grapheme: string): number {
  if (grapheme.includes("\ufe0f")) return 2;
  if (narrow.test(grapheme)) return invisible.test(grapheme) ? 0 : 1;
  if (invisible.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

/** Columns a terminal gives to the text, which holds no escape codes. */
export function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += graphemeColumns(segment);
  return columns;
}

/** Takes out the colours that `Style` put in. */
export function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes are what it looks for
  return text.replace(/\x1b\[\d+m/g, "");
}

/** The text within so many columns, an ellipsis where it was cut. */
export function clip(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const size = graphemeColumns(segment);
    if (used + size > columns - 1) break;
    kept += segment;
    used += size;
  }
  return `${kept.trimEnd()}…`;
}

export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

export function padStart(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - columnsOf(text))) + text;
}

/** Lines of at most so many columns, broken at spaces where there are some; line breaks stay. */
export function wrap(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, Math.max(columns, 8)));
}

/** Sentences for people: wrapped where a terminal shows them, one line elsewhere. */
export function paragraph(text: string, output: Output): string {
  return output.isTerminal ? wrap(text, output.columns).join("\n") : text;
}

function wrapLine(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.match(/\s*\S+|\s+$/g) ?? []) {
    const size = columnsOf(word);
    if (used + size <= columns) {
      line += word;
      used += size;
      continue;
    }
    if (used > 0) lines.push(line);
    const parts = breakWord(used > 0 ? word.trimStart() : word, columns);
    line = parts.pop() ?? "";
    used = columnsOf(line);
    lines.push(...parts);
  }
  return [...lines, line];
}

function breakWord(word: string, columns: number): string[] {
  const parts: string[] = [];
  let part = "";
  let used = 0;
  for (const { segment } of segmenter.segment(word)) {
    const size = graphemeColumns(segment);
    if (used + size > columns) {
      parts.push(part);
      part = "";
      used = 0;
    }
    part += segment;
    used += size;
  }
  return [...parts, part];
}
