/**
 * Message contents that must not be taken for control tokens by a server whose tokenizer looks for them everywhere.
 * Which texts are control tokens is not told, so all that have their usual forms count: <|im_end|>, </s>, [INST].
 */

const suspect = /<[^<>\s]{1,64}>|\[\/?[A-Z][A-Z_]{1,30}\]/u;
const suspects = new RegExp(suspect, "gu");

export function isSuspect(text: string): boolean {
  return suspect.test(text);
}

/** Pieces to be tokenized one by one: each suspect is cut after its first character, so that no control token comes out. */
export function harmlessPieces(text: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (const { index } of text.matchAll(suspects)) {
    pieces.push(text.slice(from, index + 1));
    from = index + 1;
  }
  pieces.push(text.slice(from));
  return pieces.filter((piece) => piece !== "");
}

/** Where the contents stand in a rendered conversation: found by words that stand for them. Null if any is not found once. */
export function splitAround(text: string, words: readonly string[]): string[] | null {
  const parts: string[] = [];
  let rest = text;
  for (const word of words) {
    const at = rest.indexOf(word);
    if (at < 0 || rest.indexOf(word, at + 1) >= 0) return null;
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + word.length);
  }
  return [...parts, rest];
}
