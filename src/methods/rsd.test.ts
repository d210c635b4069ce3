import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { greedy } from "../core/model.js";
import { mathsSystem, type RunRequest, type RunResult, startRun } from "../core/run.js";
import { blankLine } from "../core/step.js";
import type { RunEvent } from "../core/trace-event.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import draftAlone from "./draft.js";
import rsd, { weigh } from "./rsd.js";
import targetAlone from "./target.js";

const words = ["one", "two", "three", "four", "five", "six"];

/** Writes a random word a step and ends at random; `tilt` makes two of them differ. */
const writer = (name: string, tilt: number, end = 0.1) =>
  new ScriptedModel({
    name,
    law: {
      steps: (_, steps) => {
        const weights = words.map((_, index) => 1 + tilt * ((index + steps.length) % words.length));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const going = words.map((word, index) => ({
          text: `${word} ${steps.length}\n\n`,
          probability: ((1 - end) * weights[index]!) / total,
        }));
        return [...going, { text: "so it is done", probability: end, end: true }];
      },
    },
  });

const roles = () => ({
  draft: writer("small", 0),
  target: writer("large", 2),
  reward: new ScriptedReward({
    score: (_, steps) => (steps.at(-1)!.startsWith("t") ? 0.25 : 0.75),
  }),
});

async function runWith(request: Partial<RunRequest>): Promise<{ result: RunResult; events: RunEvent[] }> {
  const run = startRun({ method: rsd, question: "count", roles: roles(), maxSteps: 12, ...request });
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  return { result: await run.result, events };
}

const warm = { temperature: 1 } as const;

describe("the ends of the threshold", () => {
  test.each([0, 1])("at 0 the answer is the draft's own, temperature %d", async (temperature) => {
    for (let seed = 0; seed < 40; seed++) {
      const sampling = { temperature };
      const guided = await runWith({ options: { threshold: 0 }, seed, sampling });
      const alone = await runWith({ method: draftAlone, seed, sampling });
      expect(guided.result.text).toBe(alone.result.text);
      expect(guided.result.finish).toBe(alone.result.finish);
      expect(guided.result.ledger.target).toMatchObject({
        calls: 0,
        prefillTokens: 0,
        decodeTokens: 0,
        flops: 0,
      });
      expect(guided.result.ledger.draft).toEqual(alone.result.ledger.draft);
    }
  });

  test.each([0, 1])(
    "above 1 it is the target's own and every draft is discarded, temperature %d",
    async (temperature) => {
      for (let seed = 0; seed < 40; seed++) {
        const sampling = { temperature };
        const guided = await runWith({ options: { threshold: 1.0000001 }, seed, sampling });
        const alone = await runWith({ method: targetAlone, seed, sampling });
        expect(guided.result.text).toBe(alone.result.text);
        expect(guided.result.steps.every((step) => step.origin === "target")).toBe(true);
        const { draft } = guided.result.ledger;
        expect(draft!.discardedTokens).toBe(draft!.decodeTokens);
        expect(guided.result.ledger.target!.decodeTokens).toBe(alone.result.ledger.target!.decodeTokens);
      }
    },
  );

  test("a reward equal to the threshold keeps the step", async () => {
    const { result } = await runWith({ options: { threshold: 0.75 }, sampling: warm, seed: 3 });
    const decisions = result.steps.flatMap((step) => [step, ...step.rejected]);
    expect(decisions.some((step) => step.reward === 0.75)).toBe(true);
    for (const step of result.steps) {
      expect(step.origin === "draft" ? step.reward : step.rejected[0]!.reward).toBe(
        step.origin === "draft" ? 0.75 : 0.25,
      );
    }
  });
});

test("counters agree with the logged decisions", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const { result, events } = await runWith({ options: { weight: "clip" }, sampling: warm, seed });
    const written = events.filter((event) => event.type === "step-written");
    const coins = events.filter((event) => event.type === "coin-tossed");
    const { draft, target, reward } = result.ledger;
    expect(reward!.calls).toBe(written.filter((event) => event.role === "draft").length);
    expect(coins.length).toBe(reward!.calls);
    expect(target!.calls).toBe(coins.filter((coin) => !coin.heads).length);
    const kept = result.steps
      .filter((step) => step.origin === "draft")
      .reduce((sum, step) => sum + step.tokens, 0);
    const rewritten = result.steps
      .filter((step) => step.origin === "target")
      .reduce((sum, step) => sum + step.tokens, 0);
    expect(draft!.decodeTokens - draft!.discardedTokens).toBe(kept);
    expect(target!.decodeTokens).toBe(rewritten);
    expect(target!.discardedTokens).toBe(0);
  }
});

test("the target reads accepted steps only when it must write, all of them in one go", async () => {
  const models = {
    ...roles(),
    draft: new ScriptedModel({
      law: {
        steps: (_, steps) => [
          { text: `${steps.length === 3 ? "weak" : "good"} ${steps.length}\n\n`, probability: 1 },
        ],
      },
    }),
    reward: new ScriptedReward({ score: (_, steps) => (steps.at(-1)!.startsWith("weak") ? 0 : 1) }),
  };
  const { events } = await runWith({ roles: models, maxSteps: 6 });
  const reads = events
    .filter((event) => event.type === "context-read")
    .filter((event) => event.role === "target");
  expect(reads.map(({ purpose, node }) => [purpose, node])).toEqual([
    ["prompt", ""],
    ["catch-up", "0.0.0"],
  ]);
  expect(reads[1]!.usage.prefillTokens).toBe("good 0\n\ngood 1\n\ngood 2\n\n".length);
});

test("reject and rewrite leaves what a fresh run on the same prefix has", async () => {
  let rewritten = 0;
  for (let seed = 0; seed < 30; seed++) {
    const { events } = await runWith({ options: { threshold: 0.5 }, sampling: warm, seed });
    const written = events.filter((event) => event.type === "step-written");
    const textOf = new Map(written.map((event) => [event.node, event.text]));
    for (const event of written) {
      // The same prefix in a new branch, the same stream: the same step with the same probabilities.
      const path = event.parent === "" ? [] : event.parent.split(".");
      const prefix = path.map((_, depth) => textOf.get(path.slice(0, depth + 1).join("."))!).join("");
      const extension = await fresh(
        event.role === "draft" ? roles().draft : roles().target,
        prefix,
        seed,
        event.role,
      );
      expect(extension.text).toBe(event.text);
      expect(extension.logprobs).toEqual(event.logprobs);
      rewritten += event.role === "target" && prefix !== "" ? 1 : 0;
    }
  }
  expect(rewritten).toBeGreaterThan(10);
});

async function fresh(model: ScriptedModel, prefix: string, seed: number, role: string) {
  const prompt = await model.renderChat([
    { role: "system", content: mathsSystem },
    { role: "user", content: "count" },
  ]);
  const branch = await model.open(prompt);
  await branch.append(prefix);
  return branch.extend({
    splitter: blankLine,
    maxTokens: 512,
    sampling: { ...greedy, temperature: 1, seed },
    key: `:${role}`,
  });
}

test("of several candidates the best is judged, the first of equals", async () => {
  const seen: string[][] = [];
  for (let seed = 0; seed < 20; seed++) {
    const models = {
      ...roles(),
      reward: new ScriptedReward({ score: (_, steps) => (steps.at(-1)!.length % 7) / 7 }),
    };
    const { result } = await runWith({
      roles: models,
      options: { threshold: 0, candidates: 4 },
      sampling: warm,
      seed,
    });
    for (const step of result.steps) {
      expect(step.rejected).toHaveLength(3);
      for (const other of step.rejected) expect(step.reward!).toBeGreaterThanOrEqual(other.reward!);
      seen.push([step.text, ...step.rejected.map((other) => other.text)]);
    }
    expect(result.ledger.reward!.calls).toBe(4 * result.steps.length);
  }
  // Candidates are draws of their own: they differ, and streams do not repeat between places.
  expect(seen.filter((texts) => new Set(texts).size > 1).length).toBeGreaterThan(0.9 * seen.length);
});

test.each([1, 5])(
  "case 71: %d candidates of equal or no weight, and an end at the first step",
  async (candidates) => {
    for (const value of [0, 1]) {
      const models = {
        draft: writer("small", 0, 1),
        target: writer("large", 0, 1),
        reward: new ScriptedReward({ score: () => value }),
      };
      for (const weight of ["step", "clip", "sigmoid", "logistic", "constant"] as const) {
        const { result } = await runWith({ roles: models, options: { candidates, weight }, sampling: warm });
        expect(result).toMatchObject({ finish: "stop", text: "so it is done" });
        expect(result.steps).toHaveLength(1);
      }
    }
  },
);

test("the end of a text is a step too: scored low, the target goes on", async () => {
  const models = {
    draft: new ScriptedModel({ law: { steps: () => [{ text: "done", probability: 1, end: true }] } }),
    target: new ScriptedModel({
      law: {
        steps: (_, steps) =>
          steps.length < 2
            ? [{ text: `more ${steps.length}\n\n`, probability: 1 }]
            : [{ text: "end", probability: 1, end: true }],
      },
    }),
    reward: new ScriptedReward({ score: () => 0 }),
  };
  const { result } = await runWith({ roles: models });
  expect(result).toMatchObject({ text: "more 0\n\nmore 1\n\nend", finish: "stop" });
});

describe("weights", () => {
  const reward = fc.double({ min: 0, max: 1, noNaN: true });
  const options = fc.record({
    weight: fc.constantFrom("step", "clip", "sigmoid", "logistic", "constant"),
    threshold: fc.double({ min: 0, max: 2, noNaN: true }),
    alpha: fc.double({ min: 0, max: 1000, noNaN: true }),
    probability: reward,
  });

  test("are probabilities that never fall as the reward rises", () => {
    fc.assert(
      fc.property(reward, reward, options, (a, b, chosen) => {
        const parsed = rsd.schema.parse(chosen);
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((r) =>
          weigh(r, chosen.threshold, parsed),
        ) as [number, number];
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(high);
      }),
    );
  });

  test("have the card's values", () => {
    const at = (r: number, chosen: { threshold?: number; [option: string]: unknown }) =>
      weigh(r, chosen.threshold ?? 0.7, rsd.schema.parse(chosen));
    expect(at(0.7, {})).toBe(1);
    expect(at(0.6999, {})).toBe(0);
    expect(at(0.4, { weight: "clip" })).toBe(0.4);
    expect(at(1, { weight: "sigmoid" })).toBe(0.5);
    expect(at(0.5, { weight: "logistic", threshold: 0.5 })).toBe(0.5);
    expect(at(0.6, { weight: "logistic", threshold: 0.5, alpha: 10 })).toBeCloseTo(
      1 / (1 + Math.exp(-1)),
      12,
    );
    expect(at(0, { weight: "constant", probability: 0.3 })).toBe(0.3);
  });
});
