import { expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import { MethodBench } from "../testing/method-bench.js";
import bestOfN, { normalised } from "./best-of-n.js";
import draftAlone from "./draft.js";
import selfConsistency from "./self-consistency.js";

const law = { one: 0.45, two: 0.3, three: 0.25 };

/** Answers in one step. */
const answering = () =>
  new ScriptedModel({
    law: {
      steps: () =>
        Object.entries(law).map(([word, probability]) => ({
          text: `so it is ${word}`,
          probability,
          end: true,
        })),
    },
  });

/** Scores drawn anew at every pass, whatever the text. */
function randomReward(seed: number) {
  let passes = 0;
  return new ScriptedReward({ score: () => keyedUniform(seed, "reward", passes++, "random") });
}

const same = { sampleTemperature: 1, sampleTopP: 1 };

async function answers(options: object, score: (seed: number) => ScriptedReward, runs: number) {
  const bench = new MethodBench(bestOfN, { ...same, ...options });
  const counts = { one: 0, two: 0, three: 0 };
  for (let seed = 0; seed < runs; seed++) {
    const { result } = await bench.run({ seed, roles: { draft: answering(), reward: score(seed) } });
    counts[result.text.split(" ").at(-1) as keyof typeof counts]++;
  }
  return counts;
}

test("bag-of-tricks card: n = 1 is the plain sample, whatever the reward", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { result } = await new MethodBench(bestOfN, { samples: 1, ...same }).run({ seed });
    const plain = await new MethodBench(draftAlone, {}).run({ seed });
    expect(result.text).toBe(plain.result.text);
    expect(result.ledger.draft).toEqual(plain.result.ledger.draft);
  }
});

test("bag-of-tricks card: under a random reward the choice has the law of one sample", async () => {
  const runs = 1500;
  const counts = await answers({ samples: 4 }, randomReward, runs);
  let distance = 0;
  for (const [word, count] of Object.entries(counts)) {
    const expected = law[word as keyof typeof law] * runs;
    distance += (count - expected) ** 2 / expected;
  }
  // Chi-square, two degrees of freedom: above 13.8 once in a thousand.
  expect(distance).toBeLessThan(13.8);
});

test("bag-of-tricks card: under the oracle it is pass@n", async () => {
  const runs = 600;
  const oracle = () => new ScriptedReward({ score: (_, steps) => (steps.at(-1)!.endsWith("three") ? 1 : 0) });
  const { three } = await answers({ samples: 4 }, oracle, runs);
  const expected = 1 - (1 - law.three) ** 4;
  expect(Math.abs(three / runs - expected)).toBeLessThan(3.3 * Math.sqrt((expected * (1 - expected)) / runs));
});

test("bag-of-tricks card: weighted choice under a constant reward is the majority vote", async () => {
  const weighted = new MethodBench(bestOfN, { samples: 7, choose: "weighted", ...same });
  const majority = new MethodBench(selfConsistency, { samples: 7, batch: 7, ...same });
  for (let seed = 0; seed < 60; seed++) {
    const constant = new ScriptedReward({ score: () => 0.5 });
    const one = await weighted.run({ seed, roles: { draft: answering(), reward: constant } });
    const other = await majority.run({ seed, roles: { draft: answering() } });
    expect(one.result.text).toBe(other.result.text);
  }
});

test("bag-of-tricks card: another grader changes no text that is written", async () => {
  const bench = new MethodBench(bestOfN, { samples: 6, choose: "weighted" });
  const texts = async (answersAlike: boolean) => {
    const { events } = await bench.run({ answers: { same: () => answersAlike }, seed: 4 });
    return events.flatMap((event) => (event.type === "step-written" ? [event.text] : []));
  };
  expect(await texts(true)).toEqual(await texts(false));
});

test("weights go from 0 for the least to 1 for the greatest; equal ones are all 1", () => {
  const [high, middle, low] = normalised([0.9, 0.6, 0.3]);
  expect([high, low]).toEqual([1, 0]);
  expect(middle).toBeCloseTo(0.5, 12);
  expect(normalised([0.4, 0.4])).toEqual([1, 1]);
});
