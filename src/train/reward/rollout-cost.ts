/** What labels made by rollouts will cost at most, told before they are made. */
import type { AnswerRecord } from "./answers.js";
import type { WantedLabels } from "./training.js";

export interface RolloutCost {
  /** Ends of answers that will be written. */
  readonly ends: number;
  readonly tokens: number;
  /** At the speed at which the answers were written. */
  readonly seconds: number;
}

/**
 * From every step but the last so many ends, each as long as what the answer itself wrote after it. A source that tries
 * fewer steps costs less. Null for labels that are made without rollouts, or where nothing is known of their speed.
 */
export function rolloutCost(
  { source, options: { rollouts } }: WantedLabels,
  answers: readonly AnswerRecord[],
): RolloutCost | null {
  if (!source.needs.includes("draft") || typeof rollouts !== "number" || answers.length === 0) return null;
  let [ends, tokens] = [0, 0];
  for (const { steps } of answers) {
    let after = 0;
    for (const step of steps.slice(1).reverse()) {
      after += step.tokens.length;
      ends += rollouts;
      tokens += rollouts * after;
    }
  }
  const total = (of: (answer: AnswerRecord) => number) =>
    answers.reduce((sum, answer) => sum + of(answer), 0);
  const speed =
    total(({ seconds }) => seconds) /
    Math.max(
      1,
      total((answer) => answer.tokens),
    );
  return { ends, tokens, seconds: tokens * speed };
}
