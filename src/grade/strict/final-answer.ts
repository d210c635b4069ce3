/** The answer that a text ends on, as it was written: its last box or its last "the answer is". */
import { closingBrace } from "./braces.js";
import { answeringText, lastMatches, sentenceFrom } from "./text.js";

interface Found {
  readonly at: number;
  readonly answer: string;
}

/** "" if the text gives none. */
export function finalAnswer(prediction: string): string {
  const text = answeringText(prediction);
  const stated = [...boxes(text), ...phrases(text)].filter(({ answer }) => answer !== "");
  if (stated.length > 0) return stated.reduce((a, b) => (b.at >= a.at ? b : a)).answer;
  return lastStatement(text);
}

const box = /(?:\\f?box(?:ed)?|\bboxed)\s*(\{|(?<=\\boxed\s*)(?=[-\d\\$a-zA-Z]))/g;

/** `\boxed{...}` and its relatives; the word "boxed" alone is none. */
export function boxes(text: string): Found[] {
  const found: Found[] = [];
  for (const match of lastMatches(text, box)) {
    const start = match.index + match[0].length;
    if (match[1] === "{") {
      const end = closingBrace(text, start);
      const inside = end === text.length ? lineFrom(text, start) : text.slice(start, end);
      found.push({ at: start, answer: tidy(inside) });
    } else found.push({ at: start, answer: tidy(lineFrom(text, start).split(/\s/, 1)[0]!) });
  }
  return found;
}

const phrase =
  /(?:\banswer\s*(?:is|was|:|=|should be|must be)|\banswer\*{1,2}\s*:|\banswer\s*<\/b>\s*:|<answer>|####|"answer"\s*:|答案(?:是|为|：|:)|final answer\*{0,2}\s*\n)\s*:?/gi;

function phrases(text: string): Found[] {
  const found: Found[] = [];
  for (const match of lastMatches(text, phrase)) {
    const at = match.index + match[0].length;
    const sentence = sentenceFrom(text, at).split("。", 1)[0]!;
    // A box in the sentence speaks for itself.
    if (/boxed|\\fbox/.test(sentence) && boxes(sentence).some(({ answer }) => answer !== "")) continue;
    found.push({ at, answer: tidy(sentence.replace(/\\boxed\s*\{\s*\}/g, "")) });
  }
  return found;
}

/** Where nothing is called the answer: what the last sentence says. */
function lastStatement(text: string): string {
  const sentences = text
    .trim()
    .slice(-4000)
    .split(/(?<=[.?!])\s+|\n+/)
    .filter((sentence) => sentence.trim() !== "");
  const last = sentences.at(-1)?.trim() ?? "";
  const formulas = [...last.matchAll(/\$([^$]+)\$|\\\(([^()]*)\\\)/g)];
  if (formulas.length > 0) return tidy(formulas.at(-1)![1] ?? formulas.at(-1)![2]!);
  const formula = !/[a-zA-Z]{3,}/.test(last.replace(/\\[a-zA-Z]+/g, ""));
  if (formula || last.includes("=")) return tidy(valueOfEquation(last));
  const numbers = /(?<![\w.])-?\$?\d[\d,]*(?:\.\d+)?(?:\s?[-+*/^]\s?\d+(?:\.\d+)?)*%?/.exec(
    last.replace(/(?<=\d)\.$/, ""),
  );
  // A short text without a number is the answer itself, in words.
  return tidy(numbers?.[0] ?? (sentences.length === 1 && last.length < 30 ? last : ""));
}

/** What stands after the last equals sign; an equation in an unknown says what the unknown obeys, not what it is. */
function valueOfEquation(sentence: string): string {
  const sides = sentence.split("=");
  if (sides.length < 2) return sentence;
  const before = sides.at(-2)!;
  const unknown = /^(?=.*[\d+*/-])(?=.*\b[a-z]\b)[\s\da-z+*/^().-]*$/.test(before.trim());
  return unknown ? sentence : sides.at(-1)!;
}

function lineFrom(text: string, start: number): string {
  return text.slice(start, start + 4000).split("\n", 1)[0]!;
}

const endings = [".", ",", ":", "**", '"}', '"', "`", "</b>", "\\]", "\\)", "$"];

/** Without marks of emphasis, of mathematics and of the sentence around it. */
function tidy(answer: string): string {
  let text = answer
    .trim()
    .replace(/^(?:\*\*|:|"|`|<b>)+/, "")
    .trim();
  for (let ending: string | undefined; ; text = text.slice(0, -ending.length).trim()) {
    ending = endings.find((mark) => text.endsWith(mark));
    if (ending === undefined) break;
  }
  return text;
}
