import { describe, expect, test } from "vitest";
import { defineMethod } from "../core/method.js";
import { pathText } from "../core/search.js";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import diffusionTree, { descend, growTree } from "./diffusion-tree.js";
import draftAlone from "./draft.js";

const letters = ["a", "b", "c"];
const prior = [0.5, 0.3, 0.2];

/** Answers of `depth` steps, each a letter and its place. */
const model = (depth: number) =>
  new ScriptedModel({
    pieces: letters.flatMap((letter) => Array.from({ length: depth }, (_, at) => `${letter}${at}`)),
    law: {
      steps: (_, steps) =>
        letters.map((letter, index) => ({
          ...{
            text: `${letter}${steps.length}`,
            probability: prior[index]!,
            end: steps.length === depth - 1,
          },
        })),
    },
  });

const reward = (value: (path: readonly number[]) => number) =>
  new ScriptedReward({ score: (_, steps) => value(steps.map((step) => letters.indexOf(step[0]!))) });

const uneven = (path: readonly number[]) => (path.reduce((sum, index) => 3 * sum + index, 1) % 17) / 16;

interface Case {
  readonly options?: object;
  readonly depth?: number;
  readonly seed?: number;
  readonly value?: (path: readonly number[]) => number;
}

const request = ({ options, depth = 3, seed = 0, value = uneven }: Case) => ({
  ...{ question: "?", roles: { draft: model(depth), reward: reward(value) }, seed },
  options: { sampleTemperature: 1, aggregation: "last", ...options },
});

const run = (given: Case) => carryOut({ method: diffusionTree, ...request(given) });

/** Many answers drawn from one tree. */
async function drawn(given: Case, draws = 4000): Promise<string[]> {
  const texts: string[] = [];
  const sampler = defineMethod({
    ...diffusionTree,
    async run(search, options) {
      const root = await growTree(search, options);
      for (let draw = 0; draw < draws; draw++) {
        texts.push(pathText(descend(search, root, options, `draw:${draw}`).node));
      }
      return search.finish(descend(search, root, options, "answer").node);
    },
  });
  await carryOut({
    method: sampler,
    ...request({ ...given, options: { mode: "sample", ...given.options } }),
  });
  return texts;
}

/** How far the drawn answers are from the model's law times exp(lambda x reward). */
function distance(texts: readonly string[], lambda: number, depth: number, value = uneven): number {
  const masses = new Map<string, number>();
  const add = (path: readonly number[], p: number): void => {
    const name = path.map((index, at) => `${letters[index]}${at}`).join("\n\n");
    if (path.length === depth) masses.set(name, p * Math.exp(lambda * value(path)));
    else for (const [index, q] of prior.entries()) add([...path, index], p * q);
  };
  add([], 1);
  const total = [...masses.values()].reduce((sum, mass) => sum + mass, 0);
  let apart = 0;
  for (const [name, mass] of masses) {
    const share = texts.filter((text) => text === name).length / texts.length;
    apart += Math.abs(share - mass / total) / 2;
  }
  return apart;
}

/** The mean over a few trees. */
async function meanDistance(options: object, lambda = 3): Promise<number> {
  let total = 0;
  for (let seed = 0; seed < 3; seed++) {
    total += distance(await drawn({ options: { lambda, ...options }, seed }), lambda, 3) / 3;
  }
  return total;
}

describe("diffusion tree card: the law of sample", () => {
  test("comes to the reweighed law as the tree grows, and does not where the number of children is fixed", async () => {
    const few = await meanDistance({ rollouts: 8 });
    const many = await meanDistance({ rollouts: 400 });
    const fixed = await meanDistance({ rollouts: 400, width: 2, growth: 0 });
    expect(many).toBeLessThan(0.2);
    expect(few).toBeGreaterThan(many + 0.1);
    expect(fixed).toBeGreaterThan(many + 0.05);
  });

  test("is the model's own for lambda near 0, and for a constant reward", async () => {
    const flat = await drawn({ options: { rollouts: 400, lambda: 0.001 } });
    expect(distance(flat, 0, 3)).toBeLessThan(0.2);
    const constant = await drawn({ options: { rollouts: 400, lambda: 10 }, value: () => 0.7 });
    expect(distance(constant, 0, 3)).toBeLessThan(0.2);
    // Distances of this size come from the tree's finite children: they are far from the reweighed law.
    expect(distance(flat, 10, 3)).toBeGreaterThan(0.4);
  });
});

const best = (values: readonly number[]) => Math.max(...values);

test("diffusion tree card: search returns the best reward of the visited answers, which never falls with rollouts", async () => {
  for (let seed = 0; seed < 15; seed++) {
    let before = 0;
    for (const rollouts of [1, 4, 16]) {
      const { result, events } = await run({ options: { rollouts, parallel: 1, lambda: 1000 }, seed });
      const found = best(ofType(events, "step-scored").map(({ value }) => value));
      expect(result.steps.at(-1)!.reward).toBe(found);
      expect(found).toBeGreaterThanOrEqual(before);
      before = found;
    }
  }
});

test("diffusion tree card: with one level and no limit of children search is best of n", async () => {
  for (let seed = 0; seed < 15; seed++) {
    const { result, events } = await run({ options: { rollouts: 6, width: 1000 }, depth: 1, seed });
    const written = ofType(events, "step-written");
    expect(written).toHaveLength(6);
    expect(new Set(written.map(({ parent }) => parent))).toEqual(new Set([""]));
    expect(result.steps[0]!.reward).toBe(best(ofType(events, "step-scored").map(({ value }) => value)));
  }
});

test("diffusion tree card: with one level and no limit of children sample is a choice by softmax", async () => {
  const texts = await drawn({ options: { rollouts: 500, width: 1000, lambda: 3 }, depth: 1 });
  expect(distance(texts, 3, 1)).toBeLessThan(0.05);
});

test.each(["search", "sample"])(
  "diffusion tree card: a constant added to the reward changes no decision of %s",
  async (mode) => {
    for (let seed = 0; seed < 10; seed++) {
      const options = { mode, rollouts: 12, parallel: 1, lambda: 4 };
      const plain = await run({ options, seed, value: (path) => uneven(path) / 2 });
      const shifted = await run({ options, seed, value: (path) => uneven(path) / 2 + 0.25 });
      expect(shifted.result.text).toBe(plain.result.text);
      expect(ofType(shifted.events, "step-written").map(({ node }) => node)).toEqual(
        ofType(plain.events, "step-written").map(({ node }) => node),
      );
    }
  },
);

test("diffusion tree card: prefixes are shared, so rollouts cost fewer tokens than as many answers", async () => {
  const { result, events } = await run({ options: { rollouts: 40 } });
  expect(ofType(events, "step-written").length).toBeLessThan(40 * 3);
  const scored = new Set(ofType(events, "step-scored").map(({ node }) => node));
  expect(result.ledger.reward!.calls).toBe(scored.size);
});

test("one rollout is one plain sample", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { result } = await run({ options: { rollouts: 1 }, seed });
    const { question, roles } = request({});
    const plain = await carryOut({ method: draftAlone, question, roles, seed, sampling: { temperature: 1 } });
    expect(result.text).toBe(plain.result.text);
  }
});

test("an answer that was cut short is worth nothing", async () => {
  const { result } = await carryOut({
    ...{ method: diffusionTree, ...request({ options: { rollouts: 4 } }), maxSteps: 2 },
  });
  expect(result.finish).toBe("length");
  expect(result.ledger.reward!.calls).toBe(0);
});
