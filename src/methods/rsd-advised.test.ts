import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Limits } from "../core/ledger.js";
import type { RewardAdvice } from "../core/reward.js";
import { replay, startRun } from "../core/run.js";
import { parseTraceEvent } from "../core/trace-schema.js";
import { whatIf } from "../core/what-if.js";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import { toyQuestion, toySuccess, toyWorld } from "../testing/toy-world.js";
import rsd from "./rsd.js";

interface Trial {
  readonly threshold?: number | "auto";
  readonly budget?: Limits;
  readonly seed?: number;
  readonly options?: object;
}

const request = ({ threshold = "auto", budget = {}, seed = 0, options }: Trial) => ({
  method: rsd,
  options: { threshold, ...options },
  question: toyQuestion,
  id: "toy",
  seed,
  budget,
  sampling: { temperature: 1 },
  roles: toyWorld(rsd).roles,
});

const thirtySeconds = (value: (share: number) => number) =>
  Array.from({ length: 33 }, (_, index) => value(index / 32));

describe("--threshold auto", () => {
  test("without a limit is the threshold that the reward advises", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const advised = await carryOut(request({ seed }));
      const fixed = await carryOut(request({ threshold: 0.5, seed }));
      expect(advised.result.steps).toEqual(fixed.result.steps);
      const told = ofType(advised.events, "threshold-advised");
      expect(told.map(({ value, tokensLeft }) => [value, tokensLeft])).toEqual(
        told.map(() => [0.5, undefined]),
      );
      expect(told).toHaveLength(advised.result.steps.length);
    }
  });

  test("within a loose limit it is the same", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const budget = { "target-tokens": 2000 };
      const advised = await carryOut(request({ seed, budget }));
      expect(advised.result.steps).toEqual((await carryOut(request({ threshold: 0.5, seed }))).result.steps);
    }
  });

  test("never spends more than the limit of target tokens, and never is cut by it", async () => {
    const trial = fc.record({
      seed: fc.nat(10_000),
      tokens: fc.integer({ min: 0, max: 120 }),
      weight: fc.constantFrom("step", "clip", "sigmoid", "logistic", "constant"),
      candidates: fc.constantFrom(1, 3),
    });
    await fc.assert(
      fc.asyncProperty(trial, async ({ seed, tokens, ...options }) => {
        const { result, events } = await carryOut(
          request({ seed, budget: { "target-tokens": tokens }, options }),
        );
        expect(result.ledger.target!.decodeTokens).toBeLessThanOrEqual(tokens);
        expect(result.finish).toBe("stop");
        expect(events.at(-1)).not.toHaveProperty("cut");
        for (const { value, tokensLeft } of ofType(events, "threshold-advised")) {
          expect(value).toBeLessThanOrEqual(0.5);
          if (tokensLeft === 0) expect(value).toBe(0);
        }
      }),
    );
  });

  test("answers right at least as often as the fixed threshold that the limit cuts, and as the draft alone", async () => {
    const share = async (trial: Trial) => {
      let right = 0;
      for (let seed = 0; seed < 60; seed++) {
        const { text, finish } = await startRun(request({ ...trial, seed })).result;
        if (finish === "stop" && toySuccess(text)) right++;
      }
      return right / 60;
    };
    const alone = await share({ threshold: 0 });
    for (const tokens of [0, 15, 30, 45, 60]) {
      const budget = { "target-tokens": tokens };
      const advised = await share({ budget });
      expect(advised).toBeGreaterThanOrEqual(await share({ threshold: 0.5, budget }));
      expect(advised).toBeGreaterThanOrEqual(alone - 0.02);
    }
    expect(await share({ budget: { "target-tokens": 60 } })).toBeGreaterThan(2 * alone);
  });

  test("keeps a small limit for the worst steps: the chance that all are right is greater than first come, first served", async () => {
    // Eight steps of nine tokens, each right with the chance that its text says, a rewrite with 0.95.
    const writer = (name: string, chances: readonly number[]) =>
      new ScriptedModel({
        name,
        law: {
          steps: (_, { length }) =>
            chances.map((chance) => ({
              text: `${length}: ${chance.toFixed(2)}`,
              probability: 1 / chances.length,
              end: length === 7,
            })),
        },
      });
    // What goes on from a step that was broken off tells none.
    const chanceOf = (text: string) => Number(/^\d: (\d\.\d\d)$/.exec(text.trim())?.[1] ?? 0);
    const levels = Array.from({ length: 16 }, (_, index) => (index + 0.5) / 16);
    const roles = { draft: writer("small", levels), target: writer("large", [0.95]) };
    const paced = {
      threshold: 0.94,
      shares: thirtySeconds((share) => share),
      lengths: thirtySeconds(() => 70),
    };
    const unpaced = { ...paced, shares: thirtySeconds((share) => (share < 1 ? 0 : 1)) };
    const meanChance = async (advice: RewardAdvice) => {
      let sum = 0;
      for (let seed = 0; seed < 60; seed++) {
        const reward = new ScriptedReward({ score: (_, steps) => chanceOf(steps.at(-1)!), advice });
        const budget = { "target-tokens": 30 };
        const { text } = await startRun({ ...request({ seed, budget }), roles: { ...roles, reward } }).result;
        const steps = text.split("\n\n");
        expect(steps).toHaveLength(8);
        for (const step of steps) sum += Math.log(chanceOf(step));
      }
      return sum / 60;
    };
    expect(await meanChance(paced)).toBeGreaterThan((await meanChance(unpaced)) + 0.5);
  });

  test("a step that the limit breaks off is gone on with by the draft", async () => {
    let brokenOff = 0;
    for (let seed = 0; seed < 40; seed++) {
      const { result, events } = await carryOut(request({ seed, budget: { "target-tokens": 20 } }));
      const written = ofType(events, "step-written");
      const broken = written.find(({ role, stop }) => role === "target" && stop === "cap");
      if (!broken) continue;
      brokenOff++;
      expect(result.ledger.target!.decodeTokens).toBe(20);
      const next = written[written.indexOf(broken) + 1]!;
      expect([next.parent, next.role]).toEqual([broken.node, "draft"]);
      expect(result.text).toContain(broken.text + next.text.trimEnd());
    }
    expect(brokenOff).toBeGreaterThan(10);
  });

  test("a recording needs no reward to say it again, and goes on as it would have gone", async () => {
    for (let seed = 0; seed < 5; seed++) {
      const trial = { seed, budget: { "target-tokens": 30 } };
      const { result, events } = await carryOut(request(trial));
      expect(await replay(events, rsd)).toEqual(result);
      const read = events.map((event) => parseTraceEvent(JSON.parse(JSON.stringify(event))));
      expect(read).toEqual(events.map((event) => ({ event })));
      for (let length = 1; length < events.length; length++) {
        const resumed = await carryOut({ ...request(trial), recording: events.slice(0, length) });
        expect(resumed.result.steps).toEqual(result.steps);
        expect(resumed.result.finish).toBe(result.finish);
      }
    }
  });

  test("what would have been at a number is told from the recording, and what auto would have advised is not", async () => {
    const { events } = await carryOut(request({ seed: 1 }));
    const end = ofType(events, "run-finished")[0]!;
    const ask = await whatIf(events, rsd);
    expect((await ask({ threshold: "auto" })).node).toBe(end.node);
    expect((await ask({ threshold: 0.5 })).node).toBe(end.node);
    const fixed = await carryOut(request({ threshold: 0.5, seed: 1 }));
    expect((await (await whatIf(fixed.events, rsd))({ threshold: "auto" })).node).toBeNull();
  });

  test("is refused, before any model is asked, with a reward that advises nothing", () => {
    const { roles, draft } = toyWorld(rsd);
    const reward = new ScriptedReward({ name: "plain", score: () => 1 });
    expect(() => startRun({ ...request({}), roles: { ...roles, reward } })).toThrow(
      expect.objectContaining({
        code: "invalid-option",
        message: "the reward plain advises no threshold",
        remedy: expect.stringContaining("train reward"),
      }),
    );
    expect(draft.stage.calls).toBe(0);
    expect(() => startRun({ ...request({ threshold: 0.5 }), roles: { ...roles, reward } })).not.toThrow();
  });

  test.each([
    [2.5, "Too big: expected number to be <=2"],
    ["often", 'Invalid input: expected "auto"'],
  ])("%j is refused for what it is", (threshold, problem) => {
    expect(() => startRun({ ...request({}), options: { threshold } })).toThrow(`threshold: ${problem}`);
  });
});
