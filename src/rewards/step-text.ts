/** A step's text as reward formats want it: without the line breaks that separate steps. */

/** Without line breaks at its edges; spaces and everything inside stay. */
export function bareStep(text: string): string {
  return text.replace(/^[\r\n]+/, "").replace(/[\r\n]+$/, "");
}
