import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openDemoModel } from "../../src/cli/demo/models.js";
import { question } from "../../src/cli/demo/story.js";
import { encodeSafetensors } from "../../src/models/safetensors-writer.js";
import { type HeadFacts, headFactsOf, meansTensor } from "../../src/rewards/head-file.js";
import { sigmoid } from "../../src/rewards/law.js";
import { tensor } from "../rewards/help.js";
import { run } from "./captured-host.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-explain-"));
const head = join(folder, "head.safetensors");
const readsTarget = join(folder, "reads-target.safetensors");
const solution = join(folder, "solution.txt");
const rising = Array.from({ length: 33 }, (_, index) => index / 32);
const facts: HeadFacts = {
  features: ["statistic:least", "place:index"],
  draft: openDemoModel("demo:draft").fingerprint,
  splitter: "blank-line",
  threshold: { value: 0.9, rule: "best", shares: rising, lengths: rising },
  record: {},
};

beforeAll(() => {
  const tensors = new Map([
    ["score.weight", tensor([1, 2], [4, -0.25])],
    ["score.bias", tensor([1], [4])],
    [meansTensor, tensor([2], [-0.5, 0])],
  ]);
  writeFileSync(head, encodeSafetensors(tensors, headFactsOf(facts)));
  const reads = { ...facts, features: ["likelihood:target:least" as const] };
  const target = openDemoModel("demo:target").fingerprint;
  const one = new Map([["score.weight", tensor([1, 1], [1])]]);
  writeFileSync(readsTarget, encodeSafetensors(one, headFactsOf({ ...reads, target })));
  writeFileSync(solution, "7 × 12 = 84.\n\nThen 84 - 15 = 69.\n\n\x1b[31mSo 23 bags.\n");
});

const draft = ["--draft", "demo:draft"];
const explain = (...flags: string[]) => run(["reward", "explain", ...draft, ...flags, question]);
const json = async (...flags: string[]) => {
  const { code, out } = await explain(...flags, "--json");
  expect(code).toBe(0);
  return JSON.parse(out);
};

describe("reward explain", () => {
  it("shows every step with a bar, the weakest marked, and what the run cost", async () => {
    const { code, out } = await explain("--reward", "demo:reward");
    expect(code).toBe(0);
    const document = await json("--reward", "demo:reward");
    const bars = out.split("\n").filter((line) => /[█·]{2}/.test(line));
    expect(bars).toHaveLength(document.steps.length);
    expect(out.match(/the weakest step/g)).toHaveLength(1);
    expect(out.indexOf("the weakest step")).toBeGreaterThan(out.indexOf(bars[document.weakest]!));
    const rewards: number[] = document.steps.map(({ reward }: { reward: number }) => reward);
    expect(document.weakest).toBe(rewards.indexOf(Math.min(...rewards)));
    expect(document.aggregates.min).toBe(Math.min(...rewards));
    expect(document.ledger.draft.decodeTokens).toBeGreaterThan(20);
    expect(document.ledger.reward.calls).toBe(rewards.length);
    expect(document).toMatchObject({ threshold: null });
    expect(document.steps[0]).toMatchObject({ below: null, pulls: null });
    expect(out).not.toContain("!");
  });

  it("marks the steps below a head's own threshold, and says what pulled each", async () => {
    const reward = ["--reward", `head:${head}`];
    const document = await json(...reward);
    expect(document.threshold).toBe(0.9);
    for (const [index, step] of document.steps.entries()) {
      expect(step.below).toBe(step.reward < 0.9);
      const pulls = Object.fromEntries(
        step.pulls.map(({ feature, pull }: { feature: string; pull: number }) => [feature, pull]),
      );
      expect(pulls["place:index"]).toBeCloseTo(-0.25 * Math.log(1 + index), 5);
      // The bias and the mean's own share make the rest.
      const pulled = pulls["place:index"] + pulls["statistic:least"];
      expect(step.reward).toBeCloseTo(sigmoid(4 + 4 * -0.5 + pulled), 5);
    }
    const { out } = await explain(...reward);
    expect(out).toMatch(/statistic:least [+−]\d/);
    expect(out.match(/^ +\d+ !/gm) ?? []).toHaveLength(
      document.steps.filter(({ below }: { below: boolean }) => below).length,
    );
    expect(out).toMatch(/below its own threshold, 0\.90/);
    expect(document.ledger.reward).toMatchObject({ prefillTokens: 0, flops: 0 });
  });

  it("opens the target where the head looks at one", async () => {
    const document = await json("--reward", `head:${readsTarget}`, "--target", "demo:target");
    expect(document.ledger.reward.prefillTokens).toBeGreaterThan(20);
    const { code, talk } = await explain("--reward", `head:${readsTarget}`);
    expect(code).not.toBe(0);
    expect(talk).toContain("no target is named");
  });

  it("takes a threshold of one's own", async () => {
    const { out } = await explain("--reward", "confidence", "--threshold", "1");
    expect(out).toContain("the threshold, 1.00");
    expect((await json("--reward", "confidence", "--threshold", "0")).steps[0].below).toBe(false);
  });

  it("explains a text, with the figures that its writer would have told", async () => {
    const document = await json("--reward", `head:${head}`, "--solution", solution);
    expect(document.steps.map(({ text }: { text: string }) => text)).toEqual([
      "7 × 12 = 84.\n\n",
      "Then 84 - 15 = 69.\n\n",
      "\x1b[31mSo 23 bags.",
    ]);
    expect(document.usage.figures.prefillTokens).toBeGreaterThan(20);
    expect(document.usage.reward.prefillTokens).toBe(0);
    const { out } = await explain("--reward", "confidence", "--solution", solution);
    expect(out).not.toContain("\x1b");
    expect(out).toContain("␛[31mSo 23 bags.");
    expect(out).toMatch(/the writer's figures: \d+ tokens read/);
  });

  it("needs no draft for a text and a reward that asks for none", async () => {
    const { code, out } = await run([
      ...["reward", "explain", "--reward", "demo:reward", "--solution", solution, question],
    ]);
    expect(code).toBe(0);
    expect(out.match(/[█·]{2}.* │/g)).toHaveLength(3);
  });

  it.each<[string, string[], RegExp]>([
    [
      "a text that is not there",
      ["--reward", "confidence", "--solution", join(folder, "none")],
      /cannot be read/,
    ],
    [
      "steps that only tokens part",
      ["--reward", "confidence", "--solution", solution, "--step", "tokens:5"],
      /no tokens to count/,
    ],
    ["a head for another draft", ["--reward", `head:${head}`, "--draft", "demo:target"], /another draft/],
    ["a head that is not there", ["--reward", `head:${join(folder, "none")}`], /no model file/],
    ["a model in a head's place", ["--reward", "head:demo:draft"], /demo:draft/],
  ])("refuses %s", async (_, flags, message) => {
    const { code, talk, out } = await explain(...flags);
    expect(code).not.toBe(0);
    expect(talk).toMatch(message);
    expect(out).toBe("");
  });
});
