/** Braces and brackets in text. */

/** Where the braces around a place open and close: the first index inside and the index of the closing one. */
export function insideBraces(text: string, at: number): [start: number, end: number] {
  let depth = 0;
  let start = at;
  while (start > 0) {
    const character = text[start - 1];
    if (character === "}") depth++;
    else if (character === "{" && depth-- === 0) break;
    start--;
  }
  return [start, closingBrace(text, at)];
}

/** The index of the brace that closes what is open at a place; the text's end if none does. */
export function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let index = from; index < text.length; index++) {
    if (text[index] === "{") depth++;
    else if (text[index] === "}" && depth-- === 0) return index;
  }
  return text.length;
}

const opening = "([{";
const closing = ")]}";

/**
 * Parts between separators that stand in no bracket. `isSeparator` gives the length of the separator at a place. Half-open intervals mix their brackets, so any closes any.
 */
export function splitOutside(text: string, isSeparator: (rest: string, before: string) => number): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (opening.includes(character)) depth++;
    else if (closing.includes(character)) depth = Math.max(0, depth - 1);
    else if (depth === 0) {
      const length = isSeparator(text.slice(index, index + 20), text[index - 1] ?? "");
      if (length > 0) {
        parts.push(text.slice(start, index));
        start = index + length;
        index = start - 1;
      }
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim());
}

/** Whether the bracket at the start closes at the very end. */
export function isEnclosed(text: string): boolean {
  if (!opening.includes(text[0] ?? " ") || !closing.includes(text.at(-1) ?? " ")) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (opening.includes(text[index]!)) depth++;
    else if (closing.includes(text[index]!)) depth--;
    if (depth === 0 && index < text.length - 1) return false;
  }
  return depth === 0;
}

/** Without any of these characters at its end; a pattern would take quadratic time. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}
