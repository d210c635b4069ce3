import { describe, expect, test } from "vitest";
import { type ModelSize, spanFlops } from "../../core/model.js";
import { methods } from "../../methods/index.js";
import { parseMethodList } from "../method-list.js";
import type { BenchResult } from "../result.js";
import { forecast } from "./forecast.js";
import { bestSpeculation, breakEven, costCurve, speedUp } from "./speculation.js";
import { assumedWorkload, measuredWorkload } from "./workload.js";

const size = (multiplied: number): ModelSize => ({
  parameters: multiplied,
  multiplied,
  layers: 4,
  attentionWidth: 64,
  vocabulary: 1000,
  context: 8192,
  bytes: multiplied,
});
const sizes = { draft: size(1e6), target: size(1e7) };
const assumed = { promptTokens: 100, steps: 6, stepTokens: 20, acceptance: 0.7 };

async function forecastOf(label: string, more: Partial<typeof assumed> = {}, reward?: ModelSize) {
  const [entry] = await parseMethodList(label, methods);
  const workload = assumedWorkload({ ...assumed, ...more });
  return forecast(entry!, { sizes: { ...sizes, ...(reward && { reward }) }, workload });
}

describe("a forecast", () => {
  test("of plain decoding is the prompt read and the answer written", async () => {
    const { roles, flops } = await forecastOf("target");
    expect(roles.target!.readTokens).toBeCloseTo(100, 6);
    expect(Math.abs(roles.target!.writtenTokens - 120)).toBeLessThan(8);
    expect(roles.draft).toBeUndefined();
    const closed = spanFlops(sizes.target, 0, 100 + Math.round(roles.target!.writtenTokens));
    expect(Math.abs(flops / closed - 1)).toBeLessThan(0.02);
  });

  test("of RSD follows the share of steps that are kept", async () => {
    const all = await forecastOf("rsd", { acceptance: 1 });
    expect(all.roles.target).toMatchObject({ writtenTokens: 0, readTokens: 0 });
    const none = await forecastOf("rsd", { acceptance: 0 });
    // Every step is drafted in vain, and written by the target.
    expect(none.roles.target!.writtenTokens / none.roles.draft!.writtenTokens).toBeCloseTo(1, 1);
    const some = await forecastOf("rsd", { acceptance: 0.7 });
    const share = some.roles.target!.writtenTokens / some.roles.draft!.writtenTokens;
    expect(Math.abs(share - 0.3)).toBeLessThan(0.1);
    const costs = [all, some, none].map(({ flops }) => flops);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
  });

  test("charges a reward that reads, and not one that does not", async () => {
    expect((await forecastOf("rsd")).roles.reward).toMatchObject({ readTokens: 0, flops: 0 });
    const read = await forecastOf("rsd", {}, sizes.target);
    const { reward, draft } = read.roles;
    // The prompt once, every draft step, and the target's rewrites once the next step is judged.
    expect(reward!.readTokens).toBeGreaterThan(100 + draft!.writtenTokens);
    expect(reward!.flops).toBeGreaterThan(0);
  });

  test("gives seconds where every model at work is calibrated, and none else", async () => {
    const [entry] = await parseMethodList("rsd", methods);
    const rate = { writeSeconds: 0.01, readSeconds: 0.002, flopsPerSecond: 1, cacheBytesPerToken: 1 };
    const facts = { sizes, workload: assumedWorkload(assumed) };
    const known = await forecast(entry!, {
      ...facts,
      rates: { bandwidth: 1, roles: { draft: rate, target: rate } },
    });
    const { draft, target } = known.roles;
    const expected =
      (draft!.writtenTokens + target!.writtenTokens) * 0.01 +
      (draft!.readTokens + target!.readTokens) * 0.002;
    expect(known.seconds).toBeCloseTo(expected, 9);
    expect(
      (await forecast(entry!, { ...facts, rates: { bandwidth: 1, roles: { draft: rate } } })).seconds,
    ).toBeNull();
  });

  test("of an advised threshold is that of the assumed share", async () => {
    const advised = await forecastOf("rsd:threshold=auto", { acceptance: 0.4 });
    expect({ ...advised, label: "rsd" }).toEqual(await forecastOf("rsd", { acceptance: 0.4 }));
  });

  test("is the same every time", async () => {
    expect(await forecastOf("rsd")).toEqual(await forecastOf("rsd"));
  });
});

test("a pilot's answers tell what questions are like", () => {
  const result = (origins: string[], prompt: number) =>
    ({
      finish: "stop",
      steps: origins.map((origin) => ({
        origin,
        tokens: origin === "draft" ? 10 : 20,
        reward: 0.6,
        rejected: origin === "target" ? [{ origin: "draft", tokens: 12, reward: 0.2 }] : [],
      })),
      ledger: { draft: { read: { prompt } }, target: { read: { prompt } }, reward: { prefillTokens: 200 } },
    }) as unknown as BenchResult;
  const found = measuredWorkload(
    [result(["draft", "draft"], 50), result(["draft", "target"], 70)],
    assumed,
    "a pilot",
  );
  expect(found.draft).toEqual({ promptTokens: 60, steps: 2, stepTokens: 10 });
  // No answer is the target's alone: all of them stand for it.
  expect(found.target).toEqual({ promptTokens: 60, steps: 2, stepTokens: 12.5 });
  expect(found.rewards).toEqual([
    [0.6, 0.6],
    [0.6, 0.2],
  ]);
  // Three of four draft steps are kept: the least reward is below what keeps so many.
  expect(found.advice.threshold).toBe(0.6);
  expect(found.rewardPromptTokens).toBe((200 - 20 + 200 - 42) / 2);
});

describe("guessing single tokens", () => {
  const flat = [1, 2, 4, 8, 16, 32].map((tokens) => ({ tokens, seconds: 0.01 }));
  const steep = [1, 2, 4, 8, 16, 32].map((tokens) => ({ tokens, seconds: 0.01 * tokens }));

  test("pays by the published formula where a pass costs the same whatever it holds", () => {
    // Leviathan et al.: (1 - a^(g+1)) / ((1 - a)(g c + 1)).
    expect(speedUp(0.8, 4, 0.05, flat)).toBeCloseTo((1 - 0.8 ** 5) / (0.2 * (4 * 0.05 + 1)), 12);
    expect(speedUp(1, 4, 0, flat)).toBe(5);
    expect(bestSpeculation(0.9, 0.05, flat).length).toBeGreaterThan(bestSpeculation(0.5, 0.05, flat).length);
    expect(breakEven(0.05, flat)!).toBeLessThan(0.1);
  });

  test("never pays where a pass costs in proportion to its tokens", () => {
    expect(breakEven(0.1, steep)).toBeNull();
    expect(bestSpeculation(0.95, 0.1, steep).speedUp).toBeLessThan(1);
  });

  test("takes the cost curve between its points on straight lines", () => {
    expect(costCurve(steep, 3)).toBeCloseTo(3, 12);
    expect(costCurve(steep, 12)).toBeCloseTo(12, 12);
    expect(costCurve(steep, 1)).toBe(1);
  });
});
