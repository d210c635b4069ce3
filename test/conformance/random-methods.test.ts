/** Whatever the models, the reward and the limits: what every method promises. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ledgerOf } from "../../src/core/ledger.js";
import { keyedUniform } from "../../src/core/random.js";
import { type RunRequest, replay } from "../../src/core/run.js";
import { methods } from "../../src/methods/index.js";
import { carryOut } from "../../src/testing/carry-out.js";
import { ScriptedModel, ScriptedReward, sumOfEvents } from "../../src/testing/index.js";

const texts = ["a", "bb", "c c", "dé", "a", "\n", "7", "long enough to be cut somewhere"];

/** A model whose every step is drawn from a law of its own, made from a number. */
function model(number: number, pieces: readonly string[]): ScriptedModel {
  const law = (_: string, steps: readonly string[]) => {
    const draw = (index: number) => keyedUniform(number, "law", 31 * steps.length + index, "weight");
    const weights = texts.map((_, index) => draw(index));
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
  sampling: fc.record({ temperature: fc.constantFrom(0, 0.7, 2) }),
  maxTokens: fc.integer({ min: 1, max: 80 }),
  maxSteps: fc.integer({ min: 1, max: 8 }),
  maxStepTokens: fc.integer({ min: 1, max: 20 }),
  budget: fc.record(
    {
      "draft-tokens": fc.nat(400),
      "target-tokens": fc.nat(200),
      "reward-passes": fc.nat(60),
      flops: fc.nat(2e7),
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

test.each(methods.names)("%s keeps its promises", async (name) => {
  const method = await methods.get(name);
  await fc.assert(
    fc.asyncProperty(anyWorld, anyRequest, async (world, settings) => {
      const roles = worldOf(world);
      const request: RunRequest = { ...settings, method, question: "?", roles, seed: world.seed, id: "any" };
      const { result, events } = await carryOut(request);
      expect(roles.draft.liveBranches + roles.target.liveBranches + roles.reward.liveScorers).toBe(0);

      expect(ledgerOf(events)).toEqual(result.ledger);
      const { total, ...spent } = result.ledger;
      expect(spent).toEqual(sumOfEvents(events));
      const { budget } = settings;
      expect(spent.draft?.decodeTokens ?? 0).toBeLessThanOrEqual(budget["draft-tokens"] ?? Infinity);
      expect(spent.target?.decodeTokens ?? 0).toBeLessThanOrEqual(budget["target-tokens"] ?? Infinity);
      expect(spent.reward?.calls ?? 0).toBeLessThanOrEqual(budget["reward-passes"] ?? Infinity);
      expect(total.flops).toBeLessThanOrEqual(budget.flops ?? Infinity);

      expect(await replay(events, method)).toEqual(result);
      if (budget.flops !== undefined) return; // reading again after a cut costs FLOPs of its own
      const recording = events.slice(0, 1 + Math.floor(world.cutAt * (events.length - 1)));
      const resumed = await carryOut({ ...request, roles: worldOf(world), recording });
      expect(resumed.result.steps).toEqual(result.steps);
      expect(resumed.result.finish).toBe(result.finish);
    }),
    { numRuns: 25 },
  );
});
