import { expect, test } from "vitest";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import draftAlone from "./draft.js";
import gsi from "./gsi.js";

const words = ["a", "b", "c", "d"];
const draftLaw = [0.4, 0.3, 0.2, 0.1];
const targetLaw = [0.1, 0.2, 0.3, 0.4];
const rewards = [0.2, 0.9, 0.5, 0.4];

/** Answers of one step. */
const writer = (law: readonly number[]) =>
  new ScriptedModel({
    pieces: words,
    law: { steps: () => words.map((text, index) => ({ text, probability: law[index]!, end: true })) },
  });

const roles = {
  draft: writer(draftLaw),
  target: writer(targetLaw),
  reward: new ScriptedReward({ score: (_, steps) => rewards[words.indexOf(steps.at(-1)!)]! }),
};

const run = (options: object, seed = 0) =>
  carryOut({ method: gsi, question: "?", roles, seed, options: { sampleTemperature: 1, ...options } });

async function shares(options: object, runs = 500): Promise<number[]> {
  const counts = words.map(() => 0);
  for (let seed = 0; seed < runs; seed++) {
    counts[words.indexOf((await run(options, seed)).result.text)]! += 1 / runs;
  }
  return counts;
}

const tilted = (law: readonly number[], beta: number) => {
  const weights = law.map((p, index) => p * Math.exp(beta * rewards[index]!));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};

const variation = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, p, index) => sum + Math.abs(p - b[index]!), 0) / 2;

test("GSI's theorem: with many drafts the step's law is the target's times exp(beta r), nothing refused", async () => {
  const keepAll = { threshold: -100, beta: 2 };
  const goal = tilted(targetLaw, 2);
  const many = variation(await shares({ ...keepAll, drafts: 32 }), goal);
  expect(many).toBeLessThan(0.08);
  // One draft is the draft's own law, which is far from it.
  expect(variation(await shares({ ...keepAll, drafts: 1 }), draftLaw)).toBeLessThan(0.08);
  expect(variation(draftLaw, goal)).toBeGreaterThan(0.3);
});

test("nothing kept: the target's own soft best of n, and every draft step discarded", async () => {
  const refuseAll = { threshold: 100, beta: 2 };
  const { ledger } = (await run(refuseAll)).result;
  expect(ledger.draft!.discardedTokens).toBe(ledger.draft!.decodeTokens);
  expect(variation(await shares({ ...refuseAll, rewrites: 1 }), targetLaw)).toBeLessThan(0.08);
  expect(variation(await shares({ ...refuseAll, rewrites: 32 }), tilted(targetLaw, 2))).toBeLessThan(0.08);
});

test("the threshold is for the tilted reward of the draft step drawn, or for the reward alone", async () => {
  const beta = 4;
  for (let seed = 0; seed < 60; seed++) {
    for (const tilt of [true, false]) {
      const { result, events } = await run({ drafts: 1, threshold: 0.5, beta, tilted: tilt }, seed);
      const [draft] = ofType(events, "step-written");
      const at = words.indexOf(draft!.text);
      const ratio = Math.log(targetLaw[at]! / draftLaw[at]!) / beta;
      const kept = rewards[at]! + (tilt ? ratio : 0) > 0.5;
      expect(result.steps[0]!.origin).toBe(kept ? "draft" : "target");
    }
  }
});

test("the target reads every draft step once, its own steps never", async () => {
  const { events, result } = await run({ threshold: 100, drafts: 3, rewrites: 2 });
  expect(ofType(events, "step-read").map(({ role }) => role)).toEqual(["target", "target", "target"]);
  expect(result.ledger.reward!.calls).toBe(5);
});

test("with equal models and a full reward one draft is plain decoding", async () => {
  const same = {
    draft: writer(draftLaw),
    target: writer(draftLaw),
    reward: new ScriptedReward({ score: () => 1 }),
  };
  for (let seed = 0; seed < 20; seed++) {
    const guided = await carryOut({
      ...{ method: gsi, question: "?", roles: same, seed },
      options: { drafts: 1, sampleTemperature: 1 },
    });
    const plain = await carryOut({
      ...{
        method: draftAlone,
        question: "?",
        roles: { draft: same.draft },
        seed,
        sampling: { temperature: 1 },
      },
    });
    expect(guided.result.text).toBe(plain.result.text);
  }
});

test("where no step is worth it the answer ends", async () => {
  const { result } = await run({ giveUp: 0.95 });
  expect(result).toMatchObject({ text: "", finish: "length" });
});
