/** What a bench tells of its reward: of its steps where the task checks them, else of its answers. */
import { type Reliability, reliability } from "../core/reliability.js";
import type { BenchResult } from "./result.js";

export interface BenchReliability extends Reliability {
  /** `steps` judged by the task's own checker, or whole `answers` with the least reward of their steps. */
  readonly of: "steps" | "answers";
}

/** Null where nothing was scored. Rejected steps count: a reward is about what it refuses, too. */
export function reliabilityOf(results: readonly BenchResult[]): BenchReliability | null {
  const steps = results.flatMap(({ question, steps }) =>
    steps
      .flatMap((step) => [step, ...step.rejected])
      .flatMap(({ reward, right }) =>
        reward === null || right === undefined ? [] : [{ reward, right, group: question }],
      ),
  );
  if (steps.length > 0) return { of: "steps", ...reliability(steps) };
  const answers = results.flatMap(({ question, steps, correct }) => {
    const rewards = steps.flatMap(({ reward }) => reward ?? []);
    return rewards.length === 0 ? [] : [{ reward: Math.min(...rewards), right: correct, group: question }];
  });
  return answers.length > 0 ? { of: "answers", ...reliability(answers) } : null;
}
