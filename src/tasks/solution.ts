/** A worked solution's steps. */

/** A mark in which GSM8K notes a calculation for a calculator. */
const calculatorMark = /<<[^<>\n]*>>/g;
/** GSM8K's last line, which only repeats the answer. */
const answerLine = /^####.*$/m;

/** Split at blank lines where there are some, else at line breaks; undefined for a text without steps. */
export function solutionSteps(solution: string): readonly string[] | undefined {
  const text = solution.replace(/\r\n?/g, "\n").replace(calculatorMark, "").replace(answerLine, "").trim();
  const parts = /\n[ \t]*\n/.test(text) ? text.split(/\n(?:[ \t]*\n)+/) : text.split("\n");
  const steps = parts.map((part) => part.trim()).filter((part) => part !== "");
  return steps.length === 0 ? undefined : steps;
}
