import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeModel } from "../../test/rewards/fake-model.js";
import { contextOf, step, tensor } from "../../test/rewards/help.js";
import { noUsage } from "../core/model.js";
import { certainties } from "./certainty.js";
import { openReward } from "./index.js";
import { sigmoid } from "./law.js";
import { statisticsOf, stepStatisticNames } from "./step-statistics.js";

/** Probabilities 0.9, 0.5 and 0.8, entropies in nats. */
const written = {
  ...step("12 + 7 = 19\n\n"),
  tokens: [1, 2, 3],
  logprobs: [0.9, 0.5, 0.8].map(Math.log),
  entropies: [0.3, Math.LN2, 0.4],
};

async function scoreOf(reference: string, context = contextOf(new FakeModel())) {
  const scorer = await (await openReward(reference, context)).open("What?");
  return scorer.append(written);
}

describe("confidence", () => {
  test.each([
    ["confidence", 0.5],
    ["confidence?feature=least", 0.5],
    ["confidence?feature=mean", 0.36 ** (1 / 3)],
    ["confidence?feature=product", 0.36],
    ["confidence?feature=entropy", 0.5],
    ["confidence?feature=typical", 1],
    ["confidence:draft?feature=product", 0.36],
  ])("%s of a step with known probabilities", async (reference, expected) => {
    const { value, usage } = await scoreOf(reference);
    expect(value).toBeCloseTo(expected, 10);
    expect(usage).toEqual(noUsage);
  });

  test("typical blames an improbable token only where the law was sure of another", () => {
    const typical = (probability: number, entropy: number) =>
      certainties.typical({ logprobs: [-0.1, Math.log(probability)], entropies: [0.2, entropy] });
    expect(typical(0.05, 0.3)).toBeCloseTo(0.05 * Math.exp(0.3), 12);
    expect(typical(0.05, 3)).toBe(1);
  });

  test("is a number from 0 to 1 for any law, and 1 only where nothing else was possible", () => {
    const probability = fc.double({ min: 1e-12, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(probability, { minLength: 1, maxLength: 50 }), (probabilities) => {
        const figures = { logprobs: probabilities.map(Math.log), entropies: probabilities.map((p) => 1 - p) };
        for (const [name, score] of Object.entries(certainties)) {
          const value = score(figures);
          expect(value, name).toBeGreaterThanOrEqual(0);
          expect(value, name).toBeLessThanOrEqual(1);
        }
        expect(certainties.product(figures)).toBeLessThanOrEqual(certainties.least(figures) * (1 + 1e-12));
        expect(certainties.least(figures)).toBeLessThanOrEqual(certainties.mean(figures) * (1 + 1e-12));
      }),
    );
  });

  test("says so where the writer gave no probabilities, and never takes what is no number for a score", async () => {
    const scorer = await (await openReward("confidence", contextOf(new FakeModel()))).open("What?");
    await expect(scorer.append(step("text of a remote model"))).rejects.toMatchObject({
      code: "reward-failed",
    });
    expect((await scorer.append({ ...written, logprobs: [Number.NaN] })).value).toBeNaN();
  });
});

describe("a calibrated head", () => {
  const writer = new FakeModel();
  const facts = (entries: Record<string, string> = {}) =>
    new Map(Object.entries({ statistics: "least,sum", "model-fingerprint": writer.fingerprint, ...entries }));
  const heads = new Map([
    ["score.weight", tensor([1, 2], [0.5, 2])],
    ["score.bias", tensor([1], [1.25])],
  ]);

  test("is the logistic of its weighted statistics", async () => {
    const { value } = await scoreOf("confidence?head=h.safetensors", contextOf(writer, heads, facts()));
    expect(value).toBeCloseTo(sigmoid(0.5 * Math.log(0.5) + 2 * Math.log(0.36) + 1.25), 6);
  });

  test.each([
    ["another model", facts({ "model-fingerprint": "other" }), /calibrated for another model/],
    ["an unknown statistic", facts({ statistics: "least,luck" }), /asks for "luck"/],
    ["no statistics", new Map<string, string>(), /does not name its statistics/],
    ["another number of them", facts({ statistics: "least" }), /names 1 statistics for a head of 2/],
  ])("is refused for %s", async (_, described, message) => {
    const context = contextOf(writer, heads, described);
    await expect(openReward("confidence?head=h.safetensors", context)).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringMatching(message),
    });
  });

  test("sees finite statistics whatever the probabilities", () => {
    const certain = { logprobs: [0, 0], entropies: [0, 0] };
    const hopeless = { logprobs: [-Infinity, -800], entropies: [12, 12] };
    for (const figures of [certain, hopeless]) {
      expect([...statisticsOf(stepStatisticNames, figures)].every(Number.isFinite)).toBe(true);
    }
  });
});
