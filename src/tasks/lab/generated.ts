/** Makes tasks of generated questions: one task over all levels, and one per level. */
import type { GeneratedTask, TaskQuestion } from "../task.js";

/** Indices of a lab task: training below 500,000, thresholds and choices below 600,000, figures from there on. */
const size = 1_000_000;
const trainingSize = 500_000;

interface GeneratedFacts {
  readonly name: string;
  readonly essence: string;
  /** Number of levels. */
  readonly levels: number;
  /** Without a level, the index draws one too. */
  generate(index: number, level?: number): Omit<TaskQuestion, "id">;
  checkStep(question: string, stepsBefore: readonly string[], step: string): boolean;
}

export function defineGenerated(facts: GeneratedFacts): GeneratedTask {
  const { essence, generate, checkStep } = facts;
  const at = (name: string, level?: number): GeneratedTask => ({
    ...{ name, essence, licence: "Apache-2.0", size, trainingSize, grading: "math" },
    generate: (index) => ({ id: `${name}-${index}`, ...generate(index, level) }),
    checkStep: ({ question }, stepsBefore, step) => checkStep(question, stepsBefore, step),
  });
  const levels = Array.from({ length: facts.levels }, (_, index) =>
    at(`${facts.name}:${index + 1}`, index + 1),
  );
  return { ...at(facts.name), levels };
}

/** For questions with one right solution: the step must be its next line. */
export function isNextLine(
  solution: readonly string[] | undefined,
  stepsBefore: readonly string[],
  step: string,
): boolean {
  return solution?.[stepsBefore.length] === step.trim();
}
