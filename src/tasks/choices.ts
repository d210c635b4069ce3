/** Multiple choice, as the Qwen2.5-Math evaluation asks it (card reward-guided-speculative-decoding, grading step 1). */

export const letters = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"] as const;

/** The question, and on the next line "Answer Choices: (A) .. (B) ..". */
export function withChoices(question: string, choices: readonly string[]): string {
  const listed = choices.map((choice, index) => `(${letters[index]}) ${choice.trim()}`);
  return `${question}\nAnswer Choices: ${listed.join(" ")}`;
}

/** The letter of a choice given as a letter or as its index from 0; "" if it is neither. */
export function choiceLetter(answer: string, count: number): string {
  const known: readonly string[] = letters.slice(0, count);
  const upper = answer.trim().toUpperCase();
  if (known.includes(upper)) return upper;
  return /^\d+$/.test(upper) ? (known[Number(upper)] ?? "") : "";
}
