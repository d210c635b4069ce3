/** What differs from task to task in the Qwen2.5-Math rules. */

const choiceTasks = new Set([
  "aqua",
  "gpqa",
  "gpqa-diamond",
  "gpqa_diamond",
  "mmlu-stem",
  "mmlu_stem",
  "sat_math",
  "gaokao2023",
]);
const quantityTasks = new Set(["minerva", "minerva_math", "carp_en"]);

export const isChoiceTask = (task: string | undefined): boolean =>
  task !== undefined && choiceTasks.has(task);
export const keepsUnits = (task: string | undefined): boolean =>
  task !== undefined && quantityTasks.has(task);
export const isLetter = (text: string): boolean => /^[A-E]$/.test(text);
/** Also true of nothing at all: those rules take an empty reference for a choice. */
export const isLetters = (text: string): boolean => /^[A-E]*$/.test(text);
