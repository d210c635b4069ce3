/** The letter that a text chooses, by the Qwen2.5-Math rules for multiple choice (card, grading step 3). */

const phrases = /choice is|answer is/g;
const repeated = ["choice is", "answer is"];

/** A to E, or the text itself, tidied, if it names none of them. */
export function chosenLetter(text: string): string {
  let rest = trimmed(text, "\n", "\n");
  // Two answers in one text: a base model went on to the next question. The first paragraph counts.
  if (repeated.some((phrase) => rest.split(phrase, 3).length > 2)) rest = rest.split("\n\n", 1)[0]!;
  const parts = rest.split(phrases);
  rest = trimmed(trimmed(parts.at(-1)!, "\n", "\n"), "", ".");
  rest = trimmed(trimmed(trimmed(rest, "", "/"), " ", " "), ":", "");
  const letters = rest.toUpperCase().match(/(?<![\p{L}\p{N}_])[A-E](?![\p{L}\p{N}_])/gu);
  // After the phrase the first letter is the choice and others are comments; without it, the last one.
  const choice = letters ? (parts.length > 1 ? letters[0] : letters.at(-1)!) : trimmed(rest.trim(), ".", ".");
  return trimmed(trimmed(choice, "", "."), "", "/");
}

/** Without these single characters at its start and end; in linear time. */
export function trimmed(text: string, atStart: string, atEnd: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text[start] === atStart) start++;
  while (end > start && text[end - 1] === atEnd) end--;
  return text.slice(start, end);
}
