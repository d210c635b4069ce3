/** The option that a text chooses in the end. */
import { boxes } from "./final-answer.js";
import { answeringText, lastMatches } from "./text.js";

const alone = "(?<![A-Za-z0-9])";

/** A to J; "" if the text chooses none, or more than one at once. */
export function chosenOption(prediction: string): string {
  const text = answeringText(prediction);
  const whole = /^[\s*$(]*([A-J])[\s*$)]*(?:[.):][^\n]*)?\/?\s*$/.exec(text.trim());
  if (whole !== null && !/\b(?:is|are|was)\b/.test(text)) return whole[1]!;
  let chosen = { at: -1, letter: "" };
  const take = (at: number, letter: string) => {
    if (at >= chosen.at) chosen = { at, letter };
  };
  for (const { at, answer } of boxes(text)) {
    const letters = lettersIn(answer);
    if (
      letters.length === 1 &&
      /^[\s\W]*(?:\\?(?:text|textbf|mathrm|mathbf)\s*\{)?\W*[A-J](?![A-Za-z])/.test(answer)
    )
      take(at, letters[0]!);
    else if (
      letters.length > 1 ||
      !text
        .slice(0, at)
        .replace(/boxed\{$/, "")
        .includes(answer)
    )
      take(at, "");
  }
  for (const match of lastMatches(text, /\b(?:answer|choice|option|one)\s*(?:is|:)/gi)) {
    const sentence = text
      .slice(match.index + match[0].length)
      .slice(0, 400)
      .split(/[.?!](?=\s|$)|\n/, 1)[0]!;
    const letter = letterOf(sentence);
    if (letter !== undefined) take(match.index, letter);
  }
  const others = [
    /\b[Aa]nswer\s*:?\s*\(?([A-J])(?![A-Za-z])/g,
    /\b[Oo]ption\s+\(?([A-J])(?![A-Za-z])/g,
    /\b(?:only|pick|choose|select|thus|hence|therefore)\s*:?\s+\(?([A-J])(?![A-Za-z])/gi,
    /答案是\s*\(?([A-J])/g,
    new RegExp(`${alone}([A-J])\\)?\\s+is\\s+(?:right|correct|true|the)\\b`, "g"),
  ];
  for (const pattern of others) for (const match of lastMatches(text, pattern)) take(match.index, match[1]!);
  return chosen.letter;
}

function lettersIn(text: string): string[] {
  return [...text.replace(/\\[a-zA-Z]+/g, " ").matchAll(/(?<![A-Za-z0-9])([A-J])(?![A-Za-z0-9])/g)].map(
    ([, letter]) => letter!,
  );
}

/** The first letter that stands alone in "is (B)", "is option B", "is 8, which is (A)", "is b". */
function letterOf(sentence: string): string | undefined {
  const lower = /^\s*(?:\(([a-j])\)|([a-j]))\s*[.\s]*$/.exec(sentence);
  if (lower !== null) return (lower[1] ?? lower[2]!).toUpperCase();
  if (/^\s*\(([a-j])\)/.test(sentence)) return /\(([a-j])\)/.exec(sentence)![1]!.toUpperCase();
  return lettersIn(sentence)[0];
}
