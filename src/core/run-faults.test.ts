import { describe, expect, test } from "vitest";
import draftAlone from "../methods/draft.js";
import rsd from "../methods/rsd.js";
import { ScriptedReward } from "../testing/index.js";
import { always, answer, eventsOf, fixed } from "../testing/small-models.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { StepwrightError } from "./errors.js";
import { startRun } from "./run.js";

describe("case 66: a reward that fails", () => {
  const broken = [Number.NaN, Infinity, -0.01, 1.01, undefined, "0.5", [0.5], null];

  test.each(broken)("%s is handled by policy and never taken for a score", async (value) => {
    const roles = () => ({ draft: answer(["draft"]), target: answer(["target"]), reward: always(value) });
    const request = (rewardFailure: "fail" | "accept" | "target-only") => ({
      method: rsd,
      question: "?",
      roles: roles(),
      rewardFailure,
    });
    await expect(startRun(request("fail")).result).rejects.toMatchObject({ code: "reward-failed" });
    const accepted = await startRun(request("accept")).result;
    expect(accepted.steps).toMatchObject([{ origin: "draft", reward: null }]);
    const rewritten = await startRun(request("target-only")).result;
    expect(rewritten.steps).toMatchObject([{ origin: "target", rejected: [{ reward: null }] }]);
    for (const policy of ["fail", "accept", "target-only"] as const) {
      const flagged = (await eventsOf(request(policy))).filter((event) => event.type === "reward-failed");
      expect(flagged).toMatchObject([{ node: "0", policy }]);
    }
  });

  test("the policy overrules any weight, and only where the reward failed", async () => {
    const roles = {
      draft: answer(["a", "b", "c"]),
      target: answer(["A", "B", "C"]),
      reward: new ScriptedReward({ score: (_, steps) => (steps.length === 2 ? Number.NaN : 1) }),
    };
    const run = (rewardFailure: "accept" | "target-only", probability: number) =>
      startRun({
        method: rsd,
        options: { weight: "constant", probability },
        question: "?",
        roles,
        rewardFailure,
      }).result;
    expect((await run("target-only", 1)).text).toBe("a\n\nB\n\nc");
    expect((await run("accept", 0)).text).toBe("A\n\nb\n\nC");
  });
});

describe("faults of back ends", () => {
  test.each(Array.from({ length: 12 }, (_, index) => index))(
    "call %d throws: the run fails, nothing stays open",
    async (index) => {
      const fault = (call: { index: number }) =>
        call.index === index ? { kind: "throw" as const } : undefined;
      for (const role of ["draft", "target"] as const) {
        const world = toyWorld(rsd, { draftSkill: 0.3, [role]: { fault } });
        const run = startRun({
          method: rsd,
          question: toyQuestion,
          roles: world.roles,
          sampling: { temperature: 1 },
        });
        const outcome = await run.result.catch((error) => error);
        const reached = world[role].stage.calls > index;
        expect(StepwrightError.is(outcome, "decode-failed")).toBe(reached);
        expect(world.live()).toBe(0);
      }
    },
  );

  test.each([
    [
      "more tokens than allowed",
      { tokens: [1, 2, 3, 4, 5, 6], logprobs: [0, 0, 0, 0, 0, 0], entropies: [0, 0, 0, 0, 0, 0] },
    ],
    ["figures for other tokens", { logprobs: [0] }],
    ["a probability that is no number", { entropies: [Number.NaN, 0, 0, 0, 0] }],
    [
      "a cost that is no number",
      { usage: { prefillTokens: 0, recomputedTokens: 0, decodeTokens: 5, flops: Number.NaN, seconds: 0 } },
    ],
    ["nothing at all", { text: "", tokens: [], logprobs: [], entropies: [] }],
    ["no text", { text: undefined }],
  ])("%s is not believed", async (_, change) => {
    const draft = fixed("12345678", {
      fault: (call: { kind: string }) => (call.kind === "extend" ? { kind: "wrong", change } : undefined),
    });
    const run = startRun({ method: draftAlone, question: "?", roles: { draft }, maxStepTokens: 5 });
    await expect(run.result).rejects.toMatchObject({ code: "decode-failed" });
    expect(draft.liveBranches).toBe(0);
  });
});
