/** The law of one RSD step is omega(r) x draft + nu x target: shown on a toy vocabulary of whole steps. */
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { startRun } from "../../src/core/run.js";
import rsd, { weigh } from "../../src/methods/rsd.js";
import { ScriptedModel, ScriptedReward } from "../../src/testing/index.js";

const steps = ["a\n\n", "b\n\n", "c\n\n", "d\n\n", "e\n\n"];
const draftLaw = [0.35, 0.25, 0.2, 0.15, 0.05];
const targetLaw = [0.05, 0.1, 0.2, 0.25, 0.4];
const rewards = [0.1, 0.35, 0.7, 0.55, 0.95];
const runs = 15_000;

const model = (law: readonly number[]) =>
  new ScriptedModel({
    pieces: steps,
    law: { steps: () => steps.map((text, index) => ({ text, probability: law[index]! })) },
  });
const draft = model(draftLaw);
const target = model(targetLaw);
const reward = new ScriptedReward({ score: (_, chain) => rewards[steps.indexOf(chain.at(-1)!)]! });

type Options = Partial<z.output<typeof rsd.schema>>;

/** How often each pair of steps came, over many seeds: rows by the first, columns by the second. */
async function sampled(options: Options): Promise<number[][]> {
  const pairs = steps.map(() => steps.map(() => 0));
  for (let seed = 0; seed < runs; seed++) {
    const { result } = startRun({
      method: rsd,
      options,
      question: "?",
      system: null,
      roles: { draft, target, reward },
      seed,
      sampling: { temperature: 1 },
      maxSteps: 2,
    });
    const [one, two] = (await result).steps;
    // An equal second step ends the answer as stalled, but it has been drawn all the same.
    pairs[steps.indexOf(one!.text)]![steps.indexOf(two!.text)]! += 1 / runs;
  }
  return pairs;
}

function keeping(options: Options): (reward: number) => number {
  const parsed = rsd.schema.parse(options);
  return (reward) => weigh(reward, Number(parsed.threshold), parsed);
}

function mixture(options: Options): number[] {
  const keeps = keeping(options);
  const kept = draftLaw.map((p, index) => p * keeps(rewards[index]!));
  const rejected = 1 - kept.reduce((sum, p) => sum + p, 0);
  return kept.map((p, index) => p + rejected * targetLaw[index]!);
}

function variation(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, p, index) => sum + Math.abs(p - b[index]!), 0) / 2;
}

const cases: Options[] = [
  { weight: "step", threshold: 0.5 },
  { weight: "clip" },
  { weight: "sigmoid" },
  { weight: "logistic", threshold: 0.6, alpha: 6 },
  { weight: "constant", probability: 0.3 },
];

describe("the mixture law", () => {
  test.each(cases)("$weight", async (options) => {
    const law = mixture(options);
    const pairs = await sampled(options);
    const first = pairs.map((row) => row.reduce((sum, p) => sum + p, 0));
    const second = steps.map((_, column) => pairs.reduce((sum, row) => sum + row[column]!, 0));
    // Noise: 0.5 x sum sqrt(2 p (1-p) / (pi n)) is 0.006 for 5 outcomes and 0.016 for 25; twice that is far out.
    expect(variation(first, law)).toBeLessThan(0.013);
    expect(variation(second, law)).toBeLessThan(0.013);
    const independent = law.flatMap((p) => law.map((q) => p * q));
    expect(variation(pairs.flat(), independent)).toBeLessThan(0.032);
    // And it is none of the laws that a slip would give.
    expect(variation(first, draftLaw)).toBeGreaterThan(0.04);
    expect(variation(first, targetLaw)).toBeGreaterThan(0.04);
  });
});

describe("facts of the law", () => {
  const expected = (law: readonly number[]) => law.reduce((sum, p, index) => sum + p * rewards[index]!, 0);
  const [ofDraft, ofTarget] = [expected(draftLaw), expected(targetLaw)];

  test.each(cases)("expected reward of $weight follows the identity", (options) => {
    const keeps = keeping(options);
    const gain = draftLaw.reduce(
      (sum, p, index) => sum + p * keeps(rewards[index]!) * (rewards[index]! - ofTarget),
      0,
    );
    expect(expected(mixture(options))).toBeCloseTo(ofTarget + gain, 12);
  });

  test("with a weight that does not fall, the expected reward is at least the draft's", () => {
    for (const options of cases) expect(expected(mixture(options))).toBeGreaterThanOrEqual(ofDraft - 1e-12);
  });

  test("with the target's expected reward as threshold, it is at least that of both", () => {
    const best = expected(mixture({ weight: "step", threshold: ofTarget }));
    expect(best).toBeGreaterThanOrEqual(Math.max(ofDraft, ofTarget));
    for (let threshold = 0; threshold <= 1; threshold += 0.01) {
      expect(expected(mixture({ weight: "step", threshold }))).toBeLessThanOrEqual(best + 1e-12);
    }
  });
});
