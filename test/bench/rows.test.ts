/** The figures of a bench against what its runs did. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BenchResult } from "../../src/bench/result.js";
import { openResults } from "../../src/bench/result-file.js";
import { cellsOf, runBench } from "../../src/bench/run-bench.js";
import { mcnemarExact } from "../../src/bench/statistics.js";
import { type BenchSummary, summarise } from "../../src/bench/summary.js";
import { csvOf, markdownOf } from "../../src/bench/tables.js";
import { wilsonInterval } from "../../src/core/wilson-interval.js";
import { ScriptedModel } from "../../src/models/scripted.js";
import { ScriptedReward } from "../../src/models/scripted-reward.js";
import {
  type BenchWorldOptions,
  benchPlan,
  benchSettings,
  errorOf,
  runBenchWorld,
} from "../../src/testing/bench-world.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-rows-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function bench(options: BenchWorldOptions) {
  const { plan, results } = await runBenchWorld(await mkdtemp(join(root, "bench-")), options);
  return { results, summary: summarise("sums", plan, results) };
}

describe("a bench of 40 questions", () => {
  let summary: BenchSummary;
  let results: readonly BenchResult[];
  beforeAll(async () => {
    ({ summary, results } = await bench({ questions: 40 }));
  });
  const of = (label: string) => results.filter(({ method }) => method === label);
  const row = (label: string) => summary.rows.find((found) => found.label === label)!;

  test("has a row for each method over the same questions, with the contract's keys", () => {
    expect(summary).toMatchObject({ task: "sums", n: 40, planned: 40, isSmallSample: true, failed: 0 });
    expect(summary.rows.map(({ method }) => method)).toEqual(["draft", "target", "rsd"]);
    for (const found of summary.rows) {
      expect(Object.keys(found)).toEqual(
        expect.arrayContaining([
          ..."method options accuracy ci95 flops flopsVsTarget secondsVsTarget".split(" "),
          ..."draftTokens targetTokens rewardTokens acceptance".split(" "),
        ]),
      );
    }
  });

  test("counts right answers by both verdicts, with intervals", () => {
    for (const { label, accuracy, ci95, strictAccuracy } of summary.rows) {
      const right = of(label).filter(({ correct }) => correct).length;
      expect(accuracy).toBe(right / 40);
      expect(ci95).toEqual(wilsonInterval(right, 40));
      expect(strictAccuracy).toBe(of(label).filter(({ strict }) => strict).length / 40);
      expect(strictAccuracy).toBeLessThan(accuracy);
    }
    expect(row("target").accuracy).toBeGreaterThan(row("draft").accuracy);
  });

  test("adds up what the runs cost", () => {
    for (const label of ["draft", "target", "rsd"]) {
      const sum = of(label).reduce((total, { ledger }) => total + ledger.total.flops, 0);
      expect(row(label).flops).toBeCloseTo(sum, 3);
      expect(row(label).flopsVsTarget).toBeCloseTo(sum / row("target").flops, 12);
      expect(row(label).generatedFlops).toBeLessThan(row(label).flops);
    }
    const { prefillTokens, read } = row("rsd").tokens.target!;
    expect(read.prompt + read.catchUp + read.recomputed + read.reward).toBe(prefillTokens);
    expect(read.catchUp).toBeGreaterThan(0);
    expect(row("target").flopsVsTarget).toBe(1);
    expect(row("target").draftTokens).toBe(0);
    expect(row("draft").targetTokens).toBe(0);
    expect(row("rsd").draftTokens).toBeGreaterThan(0);
    expect(row("rsd").rewardTokens).toBeGreaterThan(0);
    expect(row("draft").rewardTokens).toBe(0);
  });

  test("follows acceptance by place, which the rewards decide here", () => {
    const { acceptance, acceptanceByPlace, meanReward, meanScoredReward } = row("rsd");
    const steps = of("rsd").flatMap((result) => result.steps);
    expect(acceptance).toBe(steps.filter(({ origin }) => origin === "draft").length / steps.length);
    expect(acceptanceByPlace.map(({ drafted }) => drafted)).toEqual([40, 40, 40]);
    // Sums are never refused; work is in about two of five cases.
    expect(acceptanceByPlace[2]!.accepted).toBe(40);
    expect(acceptanceByPlace[0]!.accepted).toBeLessThan(40);
    expect(meanReward).toBeCloseTo(0.9, 12);
    expect(meanScoredReward!).toBeLessThan(0.9);
    expect(row("target").acceptance).toBeNull();
    expect(row("draft").acceptance).toBeNull();
  });

  test("compares each method with the target, question by question", () => {
    expect(row("target").versusTarget).toBeNull();
    const { difference, better, worse, p, ci95 } = row("draft").versusTarget!;
    expect(difference).toBeCloseTo(row("draft").accuracy - row("target").accuracy, 12);
    expect((better - worse) / 40).toBeCloseTo(difference, 12);
    expect(p).toBe(mcnemarExact(better, worse));
    expect(ci95[0]).toBeLessThan(difference);
    expect(ci95[1]).toBeGreaterThan(difference);
  });

  test("is written as Markdown and CSV", () => {
    const markdown = markdownOf(summary);
    expect(markdown).toContain("# sums: 40 questions");
    expect(markdown).toContain("Only 40 questions");
    const tables = markdown.split("\n").filter((line) => line.startsWith("|"));
    const columns = (line: string) => line.split("|").length;
    for (const line of tables.slice(0, 5)) expect(columns(line)).toBe(columns(tables[0]!));
    const lines = csvOf(summary).trimEnd().split("\r\n");
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatch(/^target,target,\{\},40,0,/);
  });
});

test("seconds of runs that shared the machine are marked", async () => {
  const { summary } = await bench({ questions: 4, concurrency: 2 });
  expect(markdownOf(summary)).toContain("2 questions were at work at a time");
  expect(markdownOf({ ...summary, concurrency: 1 })).not.toContain("at work at a time");
});

test("questions are answered by all methods in turn, and none is always first", async () => {
  const cells = cellsOf(await benchPlan({ questions: 3, seeds: [4, 5] }));
  expect(cells.map((row) => row.map(({ entry }) => entry.label).join(" "))).toEqual([
    "draft target rsd draft target rsd",
    "target rsd draft target rsd draft",
    "rsd draft target rsd draft target",
  ]);
  expect(new Set(cells[0]!.map(({ seed }) => seed))).toEqual(new Set([4, 5]));
});

test("without a target there is nothing to compare with", async () => {
  const { summary } = await bench({ questions: 4, methods: "draft" });
  expect(summary.rows[0]).toMatchObject({ flopsVsTarget: null, secondsVsTarget: null, versusTarget: null });
});

test("a whole answer that was rejected is a candidate of the oracle", async () => {
  const says = (name: string, text: string) =>
    new ScriptedModel({ name, law: { steps: () => [{ text, probability: 1, end: true }] } });
  const roles = {
    draft: says("right", "So \\boxed{1}."),
    target: says("wrong", "So \\boxed{2}."),
    reward: new ScriptedReward({ score: () => 0.1 }),
  };
  const plan = await benchPlan({ questions: 1, methods: "rsd,target" });
  await using file = await openResults(join(await mkdtemp(join(root, "bench-")), "results.jsonl"));
  await runBench(plan, { ...benchSettings(), roles }, file);
  const [rsd, target] = summarise("one", plan, file.values()).rows;
  expect(file.values()[0]).toMatchObject({ answer: "2", correct: false, candidates: { seen: 2, right: 1 } });
  expect(rsd).toMatchObject({ accuracy: 0, oracle: 1 });
  // Where each run saw one answer there is nothing to choose among.
  expect(target).toMatchObject({ accuracy: 0, oracle: null });
});

test("several seeds count one question once, and give pass@k", async () => {
  const { summary, results } = await bench({ questions: 10, seeds: [0, 1, 2] });
  expect(results).toHaveLength(90);
  const row = summary.rows[0]!;
  expect(row.runs).toBe(30);
  const right = results.filter(({ method, correct }) => method === "draft" && correct).length;
  expect(row.accuracy).toBeCloseTo(right / 30, 12);
  expect(row.ci95).toEqual(wilsonInterval(right / 3, 10));
  expect(row.passAtK).toHaveLength(3);
  expect(row.passAtK![0]).toBeCloseTo(row.accuracy, 12);
  const solved = new Set(
    results.filter(({ method, correct }) => method === "draft" && correct).map(({ question }) => question),
  );
  expect(row.passAtK![2]).toBeCloseTo(solved.size / 10, 12);
});

describe("what fails", () => {
  test("is one run, counted wrong and shown with its reason", async () => {
    const fault = ({ index }: { index: number }) => (index === 20 ? ({ kind: "throw" } as const) : undefined);
    const { summary, results } = await bench({ questions: 20, script: { fault } });
    const failed = results.filter(({ finish }) => finish === "failed");
    // Draft and target each have a call number 20.
    expect(failed).toHaveLength(2);
    for (const { correct, error, ledger } of failed) {
      expect(correct).toBe(false);
      expect(error).toMatchObject({ code: "decode-failed" });
      expect(ledger.total.flops).toBeGreaterThan(0);
    }
    expect(summary).toMatchObject({ n: 20, failed: 2 });
    expect(markdownOf(summary)).toContain("2 runs failed and count as wrong");
  });

  test("is run again when that is asked for, and only then", async () => {
    const folder = await mkdtemp(join(root, "bench-"));
    const fault = ({ index }: { index: number }) => (index === 20 ? ({ kind: "throw" } as const) : undefined);
    const failures = async (options: BenchWorldOptions) =>
      (await runBenchWorld(folder, { questions: 20, ...options })).results.filter(
        ({ finish }) => finish === "failed",
      ).length;
    expect(await failures({ script: { fault } })).toBe(2);
    expect(await failures({})).toBe(2);
    expect(await failures({ forgetFailed: true })).toBe(0);
    const { notices, results } = await runBenchWorld(folder, { questions: 20 });
    expect(notices).toEqual([]);
    expect(results.filter(({ finish }) => finish === "failed")).toEqual([]);
    expect(results).toHaveLength(60);
  });

  test("for all questions alike ends the bench", async () => {
    const plan = await benchPlan();
    await using file = await openResults(join(await mkdtemp(join(root, "bench-")), "results.jsonl"));
    const settings = benchSettings();
    const noDraft = { ...settings, roles: { ...settings.roles, draft: undefined } };
    expect((await errorOf(runBench(plan, noDraft, file))).code).toBe("missing-role");
    const broken = { ...settings, grade: () => Promise.reject(new Error("no grader")) };
    await expect(runBench(plan, broken, file)).rejects.toThrow("no grader");
    expect(file.values()).toEqual([]);
  });
});
