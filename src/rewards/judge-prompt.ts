/** What a judge is asked. One user turn, because not every chat template has a system role. */

export type Scale = "yes-no" | "digit";

const opening =
  "You check a solution to a problem, one step at a time. A step is correct if it follows from the problem and " +
  "the steps before it, its arithmetic is right, and it does not mislead. Style does not matter.";

const asks: Record<Scale, string> = {
  "yes-no":
    "The solution may be unfinished. Is its last step above correct? Answer with one word, Yes or No.",
  digit:
    "The solution may be unfinished. How likely is its last step above correct? " +
    "Answer with one digit, from 0 (certainly wrong) to 9 (certainly correct).",
};

/** The judge's user turn. Only what follows the steps changes when a step is added, so the rest stays read. */
export function judgePrompt(scale: Scale, question: string, steps: readonly string[]): string {
  const solution = steps.filter((text) => text !== "").join("\n\n");
  return `${opening}\n\nProblem:\n${question.trim()}\n\nSolution:\n${solution}\n\n---\n${asks[scale]}`;
}
