/** The part of a prediction that answers the question. */

/** Without what was thought before, and without the next question that a base model goes on to. */
export function answeringText(prediction: string): string {
  const thought = prediction.lastIndexOf("</think>");
  const text = (thought < 0 ? prediction : prediction.slice(thought + "</think>".length)).replaceAll(
    "\r\n",
    "\n",
  );
  const next = /(?:Question|Problem|Exercise)(?<=\n[ \t]*\n[ \t]*[A-Z][a-z]+)[^\n:.]{0,20}[:.\n]/.exec(text);
  return next === null ? text : text.slice(0, next.index);
}

/** From a place to the end of its sentence. A point inside a number ends nothing. */
export function sentenceFrom(text: string, start: number): string {
  const rest = text.slice(start, start + 4000);
  const display = /^\s*(?:\\\[|\$\$)\s*([\s\S]*?)\s*(?:\\\]|\$\$)/.exec(rest);
  if (display !== null) return display[1]!;
  const end =
    /[.?!](?=\s|\*|$|<)|\n|;(?=\s[a-z])|,? (?:because|since|which|as required|so that|and not)\b|\.?<\/?[a-z]/.exec(
      rest.trimStart(),
    );
  return rest.trimStart().slice(0, end?.index ?? rest.length);
}

/** Only the last ones can matter, and hostile texts have many. */
export function lastMatches(text: string, pattern: RegExp): RegExpExecArray[] {
  return [...text.matchAll(pattern)].slice(-40);
}
