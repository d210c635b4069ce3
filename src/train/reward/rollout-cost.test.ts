import { expect, test } from "vitest";
import type { AnswerRecord } from "./answers.js";
import { labelSources } from "./labels/index.js";
import { rolloutCost } from "./rollout-cost.js";

const answerOf = (...lengths: number[]) =>
  ({
    steps: lengths.map((length) => ({ tokens: new Array(length).fill(0) })),
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    seconds: 2,
  }) as unknown as AnswerRecord;

test("ends from every step but the last, as long as the rest was", async () => {
  const source = await labelSources.get("monte-carlo");
  const answers = [answerOf(5, 3, 2), answerOf(10)];
  // After the first step 5 tokens, after the second 2; 20 tokens took 4 seconds.
  const cost = rolloutCost({ source, options: { rollouts: 4 } }, answers)!;
  expect([cost.ends, cost.tokens]).toEqual([8, 28]);
  expect(cost.seconds).toBeCloseTo((28 * 4) / 20);
});

test("nothing is foretold of labels without rollouts", async () => {
  const source = await labelSources.get("outcome");
  expect(rolloutCost({ source, options: {} }, [answerOf(1, 1)])).toBeNull();
});
