import { expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { ScriptedReward, toyWorld } from "../testing/index.js";
import { MethodBench } from "../testing/method-bench.js";
import draftAlone from "./draft.js";
import stepBestOfN from "./step-best-of-n.js";

const same = { sampleTemperature: 1, sampleTopP: 1 };

test("bag-of-tricks card: n = 1 is the plain sample", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { result } = await new MethodBench(stepBestOfN, { samples: 1, ...same }).run({ seed });
    const plain = await new MethodBench(draftAlone, {}).run({ seed });
    expect(result.text).toBe(plain.result.text);
    expect(result.ledger.draft).toEqual(plain.result.ledger.draft);
  }
});

test("every step is the best of its candidates, the first among equals", async () => {
  const bench = new MethodBench(stepBestOfN, { samples: 5, ...same });
  for (let seed = 0; seed < 20; seed++) {
    const score = (_: string, steps: readonly string[]) => (steps.at(-1)!.length % 7) / 7;
    const { result } = await bench.run({ seed, roles: toyWorld(stepBestOfN, { score }).roles });
    for (const step of result.steps) {
      expect(step.rejected).toHaveLength(4);
      for (const other of step.rejected)
        if (other.reward !== null) expect(step.reward!).toBeGreaterThanOrEqual(other.reward);
    }
  }
});

test("bag-of-tricks card: under a random reward a step has the law of one sample", async () => {
  const runs = 600;
  let right = 0;
  let steps = 0;
  const bench = new MethodBench(stepBestOfN, { samples: 3, ...same });
  for (let seed = 0; seed < runs; seed++) {
    let passes = 0;
    const reward = new ScriptedReward({ score: () => keyedUniform(seed, "reward", passes++, "random") });
    const { roles } = toyWorld(stepBestOfN, { draftSkill: 0.3 });
    const { result } = await bench.run({ seed, roles: { ...roles, reward } });
    for (const step of result.steps) if (step.text.startsWith("right")) right++;
    steps += result.steps.length;
  }
  expect(Math.abs(right / steps - 0.3)).toBeLessThan(3.3 * Math.sqrt((0.3 * 0.7) / steps));
});
