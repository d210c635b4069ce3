import { describe, expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { type RunRequest, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import { type FittingQuestion, fitPolicy, outcomeOf, twoFold } from "./compute-optimal/fit.js";
import { parsePolicy, printPolicy, strategyFor } from "./compute-optimal/policy.js";
import computeOptimal from "./compute-optimal.js";

/** Right as often as the question says: "easy 90" in 90 of 100 answers. */
const draft = () =>
  new ScriptedModel({
    law: {
      steps: (question) => {
        const chance = Number(/\d+/.exec(question)![0]) / 100;
        return [
          { text: "right", probability: chance, end: true },
          { text: "wrong one", probability: (1 - chance) / 2, end: true },
          { text: "wrong two", probability: (1 - chance) / 2, end: true },
        ];
      },
    },
  });
const reward = () => new ScriptedReward({ score: (_, [text]) => (text === "right" ? 0.9 : 0.1) });

async function decode(options: unknown, question: string, more: Partial<RunRequest> = {}) {
  const run = startRun({
    method: computeOptimal,
    options: { sampleTemperature: 1, ...(options as object) },
    question,
    roles: { draft: draft(), reward: reward() },
    ...more,
  });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  const written = events.filter(({ type }) => type === "step-written").length;
  return { result: await run.result, events, written };
}

describe("a policy in words", () => {
  test("is read and printed", () => {
    const text = "probes>=0.9 / best-of-n?samples=8&choose=weighted>=0.5 / beam";
    const policy = parsePolicy(text);
    expect(policy.map(({ from }) => from)).toEqual([0.9, 0.5, 0]);
    expect(policy[1]!.strategy.options).toEqual({ samples: "8", choose: "weighted" });
    expect(printPolicy(policy)).toBe(text);
    expect(strategyFor(policy, 0.9).name).toBe("probes");
    expect(strategyFor(policy, 0.89).name).toBe("best-of-n");
    expect(strategyFor(policy, 0).name).toBe("beam");
    expect(parsePolicy("draft")).toEqual([{ from: 0, strategy: { name: "draft", options: {} } }]);
  });

  test.each([
    ["beam>=0.5", "takes no bound"],
    ["draft / beam", "needs a bound"],
    ["draft>=0.3 / beam>=0.5 / dvts", "below the one before"],
    ["draft>=high / beam", "not a number"],
    ["draft>=2 / beam", "not a number"],
    ["Draft>=0.5 / beam", "no strategy"],
    ["draft?x>=0.5 / beam", "not option=value"],
    ["", "no strategy"],
  ])("%s is refused: %s", (text, reason) => expect(() => parsePolicy(text)).toThrow(reason));

  test.each([
    ["rsd>=0.5 / beam", "a target"],
    ["cntp>=0.5 / beam", '"candidates" of its draft'],
    ["beem", "unknown method"],
    ["beam?widht=2", 'no option "widht"'],
    ["beam?width=0", "width"],
  ])("%s is refused before anything is written: %s", async (policy, reason) => {
    const model = draft();
    const run = decode({ policy }, "easy 90", { roles: { draft: model, reward: reward() } });
    await expect(run).rejects.toThrow(reason);
    expect(model.stage.calls).toBe(0);
  });
});

test("easy questions stay with the probes, hard ones get the dear method", async () => {
  const policy = "probes>=0.6 / best-of-n?samples=32&sampleTemperature=1&sampleTopP=1";
  const easy = await decode({ policy }, "easy 95", { seed: 1 });
  expect([easy.written, easy.result.text]).toEqual([8, "right"]);
  const hard = await decode({ policy }, "hard 5", { seed: 1 });
  expect(hard.written).toBe(8 + 32);
  let right = 0;
  for (let seed = 0; seed < 40; seed++) {
    if ((await decode({ policy }, "hard 5", { seed })).result.text === "right") right++;
  }
  // 1 - 0.95^32 = 0.81 by the 32 answers alone.
  expect(right / 40).toBeGreaterThan(0.65);
});

test("difficulty by agreement and by the task's checker", async () => {
  const policy = "probes>=0.6 / best-of-n?samples=5";
  const written = async (options: object, question: string, more?: Partial<RunRequest>) =>
    (await decode({ policy, ...options }, question, { seed: 2, ...more })).written;
  expect(await written({ estimate: "agreement" }, "easy 95")).toBe(8);
  expect(await written({ estimate: "agreement" }, "hard 30")).toBe(13);
  const answers = { check: (text: string) => ({ score: text === "right" ? 0 : 1, feedback: "" }) };
  expect(await written({ estimate: "check" }, "easy 95", { answers })).toBe(13);
  expect(await written({ estimate: "check" }, "easy 95")).toBe(8);
});

test("card: one probe is one sample; under a constant reward the vote is a majority", async () => {
  const constant = () => new ScriptedReward({ score: () => 0.5 });
  const policy = "probes";
  for (let seed = 0; seed < 20; seed++) {
    expect((await decode({ probes: 1, policy }, "even 50", { seed })).written).toBe(1);
    const roles = { draft: draft(), reward: constant() };
    const { result, events } = await decode({ probes: 7, policy }, "even 50", { seed, roles });
    const texts = events.flatMap((event) => (event.type === "step-written" ? [event.text] : []));
    const votes = (text: string) => texts.filter((one) => one === text).length;
    expect(votes(result.text)).toBe(Math.max(...texts.map(votes)));
  }
});

describe("fitting", () => {
  const strategies = ["draft", "best-of-n", "beam"].map((name) => ({ name, options: {} }));
  /** Easy questions need nothing, middle ones best-of-n, hard ones a beam; noise by question and strategy. */
  const questions = (count: number, noise = 0): FittingQuestion[] =>
    Array.from({ length: count }, (_, index) => {
      const estimate = keyedUniform(7, "estimate", index, "draw");
      const best = estimate > 2 / 3 ? 0 : estimate > 1 / 3 ? 1 : 2;
      const outcomes = strategies.map((_, strategy) => {
        const error = noise * (keyedUniform(7, `${strategy}`, index, "noise") - 0.5);
        return { correct: (strategy === best ? 0.9 : 0.5) + error, cost: [1, 8, 16][strategy]! };
      });
      return { id: String(index), estimate, outcomes };
    });

  test("finds which strategy is best where", () => {
    const policy = fitPolicy(strategies, questions(300), { bins: 3 });
    expect(policy.map(({ strategy }) => strategy.name)).toEqual(["draft", "best-of-n", "beam"]);
    expect(policy[0]!.from).toBeCloseTo(2 / 3, 1);
    expect(policy.at(-1)!.from).toBe(0);
    expect(parsePolicy(printPolicy(policy))).toEqual(policy);
  });

  test("card: on the questions it was fitted to it is at least as good as any fixed strategy", () => {
    for (const noise of [0, 0.5, 3]) {
      const all = questions(60, noise);
      const fitted = outcomeOf(fitPolicy(strategies, all), strategies, all);
      for (const strategy of strategies) {
        const fixed = outcomeOf([{ from: 0, strategy }], strategies, all);
        expect(fitted.correct).toBeGreaterThanOrEqual(fixed.correct - 1e-12);
      }
    }
    expect(twoFold(strategies, questions(60)).correct).toBeGreaterThan(0.8);
  });

  test("card: with one bin it is the best fixed strategy, of equals the cheaper", () => {
    const all = questions(90).map((question) => ({
      ...question,
      outcomes: question.outcomes.map(({ cost }, index) => ({ correct: index === 0 ? 0.2 : 0.6, cost })),
    }));
    const [only, ...none] = fitPolicy(strategies, all, { bins: 1 });
    expect([only!.strategy.name, only!.from, none.length]).toEqual(["best-of-n", 0, 0]);
  });

  test("keeps to a limit of cost, and does not tell equal estimates apart", () => {
    const cheap = fitPolicy(strategies, questions(90), { bins: 3, costLimit: 8 });
    expect(cheap.map(({ strategy }) => strategy.name)).not.toContain("beam");
    expect(() => fitPolicy(strategies, questions(90), { costLimit: 0.5 })).toThrow("no strategy costs");
    expect(() => fitPolicy(strategies, questions(2))).toThrow("too few");
    const alike = questions(30).map((question) => ({ ...question, estimate: 0.5 }));
    expect(fitPolicy(strategies, alike)).toHaveLength(1);
  });
});
