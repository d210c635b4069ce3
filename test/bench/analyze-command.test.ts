/** The analyses on a bench folder, through the command line. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBenchFolder } from "../../src/bench/bench-folder.js";
import { passAtK } from "../../src/bench/statistics.js";
import { question } from "../../src/cli/demo/story.js";
import { run } from "../cli/captured-host.js";

let root: string;
let folder: string;
let swept: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-analyze-"));
  const task = join(root, "baker.jsonl");
  const rows = Array.from({ length: 8 }, (_, index) => ({ id: `q${index}`, question, answer: "92" }));
  await writeFile(task, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const bench = async (out: string, ...more: string[]) => {
    const models = ["--draft", "demo:draft", "--target", "demo:target", "--reward", "demo:reward"];
    const argv = [
      "bench",
      "--task",
      task,
      ...models,
      "--temperature",
      "1",
      "--out",
      join(root, out),
      ...more,
    ];
    expect((await run(argv)).code).toBe(0);
    return join(root, out);
  };
  folder = await bench("repeats", "--method", "draft,rsd:threshold=0.3", "--seeds", "6");
  swept = await bench("swept", "--method", "rsd:threshold=0.01|0.05|0.2|0.9", "--limit", "3");
});
afterAll(() => rm(root, { recursive: true, force: true }));

const analyze = async (...argv: string[]) => {
  const { code, out, talk } = await run(["analyze", ...argv]);
  return { code, talk, out, json: () => JSON.parse(out) };
};

test("pass counts what the results hold", async () => {
  const found = (await analyze("pass", folder, "--json")).json();
  expect(found.map(({ label }: { label: string }) => label).sort()).toEqual(["draft", "rsd:threshold=0.3"]);
  const draft = found.find(({ label }: { label: string }) => label === "draft");
  const questions = (await readBenchFolder(folder)).byLabel.get("draft")!;
  const two = questions.map((own) => passAtK(6, own.filter(({ correct }) => correct).length, 2));
  expect(draft.rows.map(({ samples }: { samples: number }) => samples)).toEqual([1, 2, 4, 6]);
  expect(draft.rows[1].oracle.value).toBeCloseTo(two.reduce((sum, value) => sum + value, 0) / two.length, 12);
  expect((await analyze("pass", folder)).out).toMatch(/^draft +2 /m);
});

test("saturation fits both models and says where one more sample is not worth it", async () => {
  const { methods, epsilon } = (await analyze("saturation", folder, "--epsilon", "0.02", "--json")).json();
  expect(epsilon).toBe(0.02);
  const [draft] = methods.filter(({ label }: { label: string }) => label === "draft");
  expect(draft.fits.map(({ model }: { model: string }) => model).sort()).toEqual(["beta", "single"]);
  for (const fit of draft.fits) {
    expect(fit.saturation).toBeGreaterThanOrEqual(fit.saturationCi95[0]);
    expect(fit.solved[64]).toBeGreaterThanOrEqual(fit.solved[1]);
  }
  expect((await analyze("saturation", folder)).out).toContain("one chance");
});

test("ceiling reads the verifier off rewards and grades", async () => {
  const { verifiers } = (
    await analyze("ceiling", folder, "--thresholds", "0.5", "--costs", "0,9", "--json")
  ).json();
  const results = (await readBenchFolder(folder)).byLabel.get("rsd:threshold=0.3")!.flat();
  const accepted = results.filter(({ steps }) =>
    steps.every(({ reward }) => reward === null || reward >= 0.5),
  );
  const right = results.filter(({ correct }) => correct);
  expect(verifiers).toHaveLength(1);
  expect(verifiers[0].completeness).toBeCloseTo(
    right.filter((result) => accepted.includes(result)).length / right.length,
    12,
  );
  expect(verifiers[0].ceiling).toBeGreaterThanOrEqual(verifiers[0].oneTry);
  expect(verifiers[0].best.map(({ cost }: { cost: number }) => cost)).toEqual([0, 9]);
  expect((await analyze("ceiling", folder)).out).toContain("ceiling");
});

test("scaling fits over rows, and names the figures that there are", async () => {
  const found = (
    await analyze("scaling", swept, "--x", "option:threshold", "--y", "targetTokens", "--at", "100", "--json")
  ).json();
  expect(found).toMatchObject({ points: 4, range: [0.01, 0.9], foretold: { isFar: true } });
  expect(found.data).toHaveLength(4);
  const none = await analyze("scaling", swept, "--x", "option:width");
  expect(none.code).toBe(2);
  expect(none.talk).toMatch(/no row has both option:width and accuracy[\s\S]*option:threshold/);
});

test("what a folder cannot answer is refused with what to do", async () => {
  const single = await analyze("pass", swept);
  expect(single.code).toBe(2);
  expect(single.talk).toContain("--equal-compute 8");
  const nothing = await analyze("pass", root);
  expect(nothing.talk).toContain("holds no bench");
  expect((await analyze("ceiling", folder, "--costs", "much")).talk).toContain("no list of numbers");
});
