/** Where the end of a text stood before. */
import type { Token } from "../../core/step.js";

export interface TextMatch {
  /** Where the occurrence ends: what followed it begins here. */
  readonly end: number;
  /** Tokens that agree. */
  readonly length: number;
}

/** The longest end of `tokens`, at most `longest` of them, that stands in `text`; the latest among equal ones. */
export function endMatch(
  text: readonly Token[],
  tokens: readonly Token[],
  longest: number,
  shortest: number,
): TextMatch | null {
  let best: TextMatch | null = null;
  const last = tokens.length - 1;
  for (let end = text.length; end > 0 && (best?.length ?? 0) < longest; end--) {
    const most = Math.min(longest, end, tokens.length);
    let length = 0;
    while (length < most && text[end - 1 - length] === tokens[last - length]) length++;
    if (length >= shortest && length > (best?.length ?? 0)) best = { end, length };
  }
  return best;
}

/** The longest earlier occurrence of the text's own end. */
export function earlierMatch(tokens: readonly Token[], longest: number, shortest: number): TextMatch | null {
  return endMatch(tokens.slice(0, -1), tokens, longest, shortest);
}
