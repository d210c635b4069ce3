/** Where the end of a text stood before. */
import type { Token } from "../../core/step.js";

export interface TextMatch {
  /** Where the earlier occurrence ends: what followed it begins here. */
  readonly end: number;
  /** Tokens that agree. */
  readonly length: number;
}

/** The longest earlier occurrence of the text's end, at most `longest` tokens of it; the latest among equal ones. */
export function earlierMatch(tokens: readonly Token[], longest: number, shortest: number): TextMatch | null {
  let best: TextMatch | null = null;
  const last = tokens.length - 1;
  for (let end = last; end > 0 && (best?.length ?? 0) < longest; end--) {
    let length = 0;
    while (length < longest && length < end && tokens[end - 1 - length] === tokens[last - length]) length++;
    if (length >= shortest && length > (best?.length ?? 0)) best = { end, length };
  }
  return best;
}
