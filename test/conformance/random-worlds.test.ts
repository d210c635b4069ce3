/** Whatever the models, the reward, the options and the limits: the same promises hold. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ledgerOf } from "../../src/core/ledger.js";
import { keyedUniform } from "../../src/core/random.js";
import { type RunRequest, type RunResult, replay, startRun } from "../../src/core/run.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import rsd from "../../src/methods/rsd.js";
import { ScriptedModel, ScriptedReward, sumOfEvents } from "../../src/testing/index.js";

const texts = ["a", "bb", "c c", "dé", "a", "\n", "long enough to be cut somewhere"];

/** A model whose every step is drawn from a law of its own, made from a number. */
function model(number: number, pieces: readonly string[]): ScriptedModel {
  const law = (_: string, steps: readonly string[]) => {
    const weights = texts.map((_, index) => keyedUniform(number, "law", 31 * steps.length + index, "weight"));
    const end = 0.2 + weights[0]! / 4;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const going = texts.map((text, index) => ({ text, probability: ((1 - end) * weights[index]!) / total }));
    return [...going, { text: "the end", probability: end, end: true }];
  };
  return new ScriptedModel({ name: `model ${number}`, law: { steps: law }, pieces });
}

const anyWorld = fc.record({
  draft: fc.nat(1000),
  target: fc.nat(1000),
  reward: fc.nat(1000),
  sameVocabulary: fc.boolean(),
  failing: fc.constantFrom(0, 0, 0.2),
  seed: fc.nat(2 ** 31),
  cutAt: fc.double({ min: 0, max: 1, noNaN: true }),
});

type World = typeof anyWorld extends fc.Arbitrary<infer Value> ? Value : never;

const anyRequest = fc.record({
  options: fc.record({
    weight: fc.constantFrom("step", "clip", "sigmoid", "logistic", "constant"),
    threshold: fc.double({ min: 0, max: 1, noNaN: true }),
    candidates: fc.integer({ min: 1, max: 3 }),
  }),
  temperature: fc.constantFrom(0, 0.7, 1, 2),
  splitter: fc.constantFrom<NonNullable<RunRequest["splitter"]>>(
    { kind: "delimiter", delimiter: "\n\n" },
    { kind: "delimiter", delimiter: "\n" },
    { kind: "tokens", count: 3 },
    { kind: "sentence" },
    { kind: "none" },
  ),
  maxTokens: fc.integer({ min: 1, max: 80 }),
  maxSteps: fc.integer({ min: 1, max: 12 }),
  maxStepTokens: fc.integer({ min: 1, max: 20 }),
  budget: fc.record(
    {
      "draft-tokens": fc.nat(80),
      "target-tokens": fc.nat(60),
      "reward-passes": fc.nat(12),
      flops: fc.nat(3e6),
    },
    { requiredKeys: [] },
  ),
  rewardFailure: fc.constantFrom<"accept" | "target-only">("accept", "target-only"),
});

function worldOf(world: World) {
  return {
    draft: model(world.draft, ["a\n\n", "the "]),
    target: model(world.target, world.sameVocabulary ? ["a\n\n", "the "] : []),
    reward: new ScriptedReward({
      score: (_, steps) => {
        const draw = (purpose: string) => keyedUniform(world.reward, steps.join("|"), steps.length, purpose);
        return draw("fails") < world.failing ? Number.NaN : draw("score");
      },
    }),
  };
}

async function carryOut(request: RunRequest): Promise<{ result: RunResult; events: TraceEvent[] }> {
  const run = startRun(request);
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

test("money adds up, limits hold, nothing stays open, and traces replay and resume", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyWorld, anyRequest, async (world, { temperature, ...settings }) => {
      const roles = worldOf(world);
      const request: RunRequest = {
        ...settings,
        ...{ method: rsd, question: "?", roles, seed: world.seed, sampling: { temperature }, id: "any" },
      };
      const { result, events } = await carryOut(request);
      seen.add(result.finish);
      const { ledger, steps } = result;
      expect(roles.draft.liveBranches + roles.target.liveBranches + roles.reward.liveScorers).toBe(0);

      expect(ledgerOf(events)).toEqual(ledger);
      const { total: _, ...spent } = ledger;
      expect(spent).toEqual(sumOfEvents(events));
      const inAnswer = (role: string) =>
        steps.filter((step) => step.origin === role).reduce((sum, step) => sum + step.tokens, 0);
      for (const role of ["draft", "target"] as const) {
        expect(spent[role]!.decodeTokens - spent[role]!.discardedTokens).toBe(inAnswer(role));
      }

      const { budget, maxTokens, maxSteps, maxStepTokens } = settings;
      expect(spent.draft!.decodeTokens).toBeLessThanOrEqual(budget["draft-tokens"] ?? Infinity);
      expect(spent.target!.decodeTokens).toBeLessThanOrEqual(budget["target-tokens"] ?? Infinity);
      expect(spent.reward!.calls).toBeLessThanOrEqual(budget["reward-passes"] ?? Infinity);
      expect(ledger.total.flops).toBeLessThanOrEqual(budget.flops ?? Infinity);
      expect(inAnswer("draft") + inAnswer("target")).toBeLessThanOrEqual(maxTokens);
      expect(steps.length).toBeLessThanOrEqual(maxSteps);
      for (const step of steps) expect(step.tokens).toBeLessThanOrEqual(maxStepTokens);
      expect(result.text).toBe(
        steps
          .map((step) => step.text)
          .join("")
          .trimEnd(),
      );

      expect(await replay(events, rsd)).toEqual(result);
      if (Object.keys(budget).includes("flops")) return; // reading again after a cut costs FLOPs of its own
      const recording = events.slice(0, 1 + Math.floor(world.cutAt * (events.length - 1)));
      const resumed = await carryOut({ ...request, roles: worldOf(world), recording });
      expect(resumed.result.steps).toEqual(steps);
      expect(resumed.result.finish).toBe(result.finish);
      expect(await replay(resumed.events, rsd)).toEqual(resumed.result);
    }),
    { numRuns: 400 },
  );
  expect([...seen].sort()).toEqual(["budget", "length", "stalled", "stop"]);
});
