import { expect, test } from "vitest";
import { FakeModel } from "../../test/rewards/fake-model.js";
import { contextOf } from "../../test/rewards/help.js";
import { startRun } from "../core/run.js";
import rsd from "../methods/rsd.js";
import { ScriptedModel } from "../testing/index.js";
import { openReward } from "./index.js";

const writes = (name: string, steps: readonly string[]) =>
  new ScriptedModel({
    name,
    law: {
      steps: (_, done) => [
        { text: steps[done.length]!, probability: 1, end: done.length === steps.length - 1 },
      ],
    },
  });

const request = async () => ({
  method: rsd,
  question: "count from 1 to 3",
  roles: {
    draft: writes("draft", ["one", "too", "three"]),
    target: writes("target", ["1", "2", "3"]),
    reward: await openReward("oracle", contextOf(new FakeModel())),
  },
});

test("rsd with the oracle rewrites exactly the steps that the task finds wrong, judged after the steps before them", async () => {
  const seen: string[][] = [];
  const { steps, ledger } = await startRun({
    ...(await request()),
    checkStep: (before, step) => {
      seen.push([...before, step].map((text) => text.trim()));
      return step.trim() === ["one", "two", "three"][before.length];
    },
  }).result;
  expect(steps.map(({ origin, reward }) => [origin, reward])).toEqual([
    ["draft", 1],
    ["target", null],
    ["draft", 1],
  ]);
  // The target's rewrite is in the chain, the rejected step is not.
  expect(seen).toEqual([["one"], ["one", "too"], ["one", "2", "three"]]);
  expect(ledger.reward).toMatchObject({ calls: 3, prefillTokens: 0, decodeTokens: 0, flops: 0 });
});

test("a run whose task checks no steps is refused before a model is touched", async () => {
  const asked = await request();
  expect(() => startRun(asked)).toThrow(
    expect.objectContaining({ code: "missing-capability", subject: "reward" }),
  );
});
