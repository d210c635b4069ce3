/** plan on the command line, over models of known sizes. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCalibration, saveCalibration } from "../../src/bench/calibration.js";
import { question } from "../../src/cli/demo/story.js";
import { checkModelFile } from "../../src/models/gguf/check.js";
import { fingerprint } from "../../src/models/gguf/fingerprint.js";
import lab from "../../src/tasks/lab.js";
import { writeTinyModel } from "../../src/testing/tiny-model.js";
import { run } from "../cli/captured-host.js";
import { oneInputHead } from "../rewards/heads.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-plan-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const demo = ["--draft", "demo:draft", "--target", "demo:target"];

test("says what a method costs against the target, and when it does not pay", async () => {
  const { out, code } = await run([
    "plan",
    ...demo,
    "--reward",
    "demo:reward",
    "--method",
    "draft,rsd",
    "--json",
  ]);
  expect(code).toBe(0);
  const plan = JSON.parse(out);
  expect(plan.rows.map(({ label }: { label: string }) => label)).toEqual(["draft", "rsd"]);
  expect(plan.rows[0].flopsVsTarget).toBeLessThan(0.5);
  expect(plan.rows[1].seconds).toBeNull();
  expect(plan.memory).toBeNull();
  // The demo's pair is 3 to 1: with a third of the steps thrown away, the reading eats the gain.
  const [, rsd] = plan.verdicts;
  expect(rsd).toMatchObject({ label: "rsd", pays: false });
  expect(rsd.words).toMatch(/will not pay unless about \d+ % of draft steps are kept/);
  const better = JSON.parse(
    (
      await run([
        "plan",
        ...demo,
        "--reward",
        "demo:reward",
        "--method",
        "rsd",
        "--acceptance",
        "0.98",
        "--json",
      ])
    ).out,
  );
  expect(better.verdicts[0].pays).toBe(true);
});

test("says that nothing helps where the target reads every step to judge it", async () => {
  const { out, talk } = await run(["plan", ...demo, "--method", "rsd"]);
  expect(talk).toContain("the target judges the steps");
  expect(out).toContain("it will not pay, not even if every draft step were kept");
  expect(out).toContain("run stepwright calibrate");
});

test("foretells seconds, memory and token speculation for calibrated files", async () => {
  const home = join(root, "home");
  const path = join(root, "tiny.gguf");
  await writeTinyModel(path);
  const file = await checkModelFile(path);
  const curve = [1, 2, 4, 8, 16, 32, 64].map((tokens) => ({ tokens, seconds: 0.01 + 0.0001 * tokens }));
  const costs = { writeSeconds: 0.01, readSeconds: 0.001, curve, loadSeconds: 1, cacheBytesPerToken: 10 };
  await saveCalibration(join(home, "calibration"), 1e10, [
    {
      name: "tiny",
      fingerprint: await fingerprint(file.parts),
      threads: 1,
      size: file.size,
      measured: "",
      ...costs,
    },
  ]);
  expect((await loadCalibration(join(home, "calibration")))!.models).toHaveLength(1);
  const argv = [
    "plan",
    "--draft",
    path,
    "--target",
    path,
    "--reward",
    "confidence",
    "--method",
    "rsd,target",
  ];
  const { out } = await run([...argv, "--json"], { environment: { STEPWRIGHT_HOME: home } });
  const plan = JSON.parse(out);
  const { roles, seconds } = plan.target;
  expect(seconds).toBeCloseTo(roles.target.readTokens * 0.001 + roles.target.writtenTokens * 0.01, 9);
  // One file for both roles takes its memory once.
  expect(plan.memory).toBeGreaterThan(file.size.bytes);
  expect(plan.memory).toBeLessThan(plan.availableMemory);
  expect(plan.speculation.draftCost).toBe(1);
  const words = (await run(argv, { environment: { STEPWRIGHT_HOME: home } })).out;
  expect(words).toMatch(/It will not pay on this machine|Below .* it will not pay/);
});

test.each([
  ["the draft's own figures", "statistic:least", false],
  ["the target's likelihood", "likelihood:target:least", true],
] as const)("a head on %s costs what it reads", async (_, feature, reads) => {
  const path = join(root, `${reads}.safetensors`);
  const models = { draft: "draft", target: "target" };
  await writeFile(path, oneInputHead({ ...models, features: [feature], splitter: "blank-line" }));
  const { out } = await run(["plan", ...demo, "--reward", `head:${path}`, "--method", "rsd", "--json"]);
  const read = JSON.parse(out).rows[0].roles.reward?.readTokens ?? 0;
  expect(read > 0).toBe(reads);
  const none = await run(["plan", ...demo, "--reward", `head:${path}.none`, "--method", "rsd"]);
  expect(none).toMatchObject({ code: 2, talk: expect.stringContaining("there is no") });
});

test("takes what questions are like from a pilot", async () => {
  const task = join(root, "baker.jsonl");
  const rows = Array.from({ length: 4 }, (_, index) => ({ id: `q${index}`, question, answer: "92" }));
  await writeFile(task, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const models = [...demo, "--reward", "demo:reward"];
  const pilot = join(root, "pilot");
  const bench = await run([
    "bench",
    "--task",
    task,
    ...models,
    "--temperature",
    "1",
    "--out",
    pilot,
    "--json",
  ]);
  const { rows: happened } = JSON.parse(bench.out);
  const next = await run(["bench", "--task", task, ...models, "--pilot", pilot, "--out", join(root, "next")]);
  expect(next.code).toBe(0);
  expect(await readFile(join(root, "next", "report.html"), "utf8")).toContain("Foretold from a pilot");
  expect(await readFile(join(root, "next", "rows.md"), "utf8")).toMatch(
    /\| rsd \| [\d.]+ [GT] \| [\d.]+ [GT] \|/,
  );

  const { out } = await run(["plan", ...models, "--method", "draft,target,rsd", "--pilot", pilot, "--json"]);
  const plan = JSON.parse(out);
  expect(plan.workload).toContain(pilot);
  for (const [index, row] of happened.entries()) {
    const written = plan.rows[index].roles;
    for (const role of ["draft", "target"]) {
      const actual = (row.tokens[role]?.decodeTokens ?? 0) / 4;
      const foretold = written[role]?.writtenTokens ?? 0;
      expect(Math.abs(foretold - actual)).toBeLessThan(0.25 * actual + 4);
    }
    expect(Math.abs(plan.rows[index].flops / (row.flops / 4) - 1)).toBeLessThan(0.3);
  }
});

test("takes lengths from a task's questions, and what was said over these", async () => {
  const argv = [
    "plan",
    ...demo,
    "--reward",
    "demo:reward",
    "--method",
    "rsd",
    "--task",
    "lab",
    "--offset",
    "600000",
  ];
  const steps = async (...more: string[]) => {
    const { workload } = JSON.parse((await run([...argv, "--limit", "50", ...more, "--json"])).out);
    return Number(/([\d.]+) steps/.exec(workload)![1]);
  };
  const questions = Array.from({ length: 50 }, (_, index) => lab.generate(600_000 + index));
  const mean = questions.reduce((sum, question) => sum + question.steps!.length / 50, 0);
  expect(await steps()).toBeCloseTo(mean, 1);
  expect(await steps("--steps", "3")).toBe(3);
});
