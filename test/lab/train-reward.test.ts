/** A reward trained on the lab's pair, from questions to a run that goes by it: the user's path of docs/train-reward.md. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findTask } from "../../src/tasks/index.js";
import { isGenerated } from "../../src/tasks/task.js";
import { run } from "../cli/captured-host.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-train-"));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pair = ["--draft", "lab:draft", "--target", "lab:target"];
const level = "lab:5";

async function questionsOf(from: number, count: number) {
  const task = await findTask(level);
  if (!isGenerated(task)) throw new Error("the lab makes its questions");
  return Array.from({ length: count }, (_, index) => task.generate(from + index));
}

async function json(...argv: string[]) {
  const { code, out, talk } = await run([...argv, "--json"]);
  expect(code, talk).toBe(0);
  return JSON.parse(out);
}

describe("train reward", () => {
  it("learns from exact labels what right steps look like, at least as well as confidence tells", async () => {
    const choice = ["--task", level, "--offset", "650000", "--limit", "48", "--held-out", "0.4"];
    const work = ["--samples", "2", "--temperature", "1", "--max-tokens", "120", "--target-answers", "8"];
    const report = at("report.html");
    const trained = await json(
      ...["train", "reward", ...pair, ...choice, ...work, "--labels", "check"],
      ...["--features", "likelihood", "--kind", "linear", "--out", at("lab.safetensors")],
      ...["--report", report],
    );
    const [confidence] = trained.baselines;
    expect(trained.truth).toBe("check");
    expect(trained.chosen.figures.steps.auroc).toBeGreaterThanOrEqual(confidence.figures.steps.auroc);
    expect(trained.chosen.figures.steps.auroc).toBeGreaterThan(0.9);
    const page = readFileSync(report, "utf8");
    expect(page).toContain("Reliability of the reward over");
    expect(page).not.toContain("<script");
  }, 240_000);

  it("makes a reward of a file with questions and answers, in three commands", async () => {
    const questions = await questionsOf(660_000, 16);
    const lines = questions.map(({ question, reference }) => JSON.stringify({ question, answer: reference }));
    writeFileSync(at("mine.jsonl"), lines.join("\n"));
    const head = at("mine.safetensors");
    const work = ["--temperature", "1", "--max-tokens", "120", "--target-answers", "6", "--kind", "linear"];
    const trained = await run([
      ...["train", "reward", ...pair, "--task", at("mine.jsonl"), ...work, "--features", "chain"],
      ...["--out", head],
    ]);
    expect(trained.code, trained.talk).toBe(0);
    expect(trained.out).toContain(`--reward head:${head} --threshold auto`);

    const { question } = (await questionsOf(700_000, 1))[0]!;
    const explained = await json("reward", "explain", ...pair, "--reward", `head:${head}`, question);
    expect(explained.steps.length).toBeGreaterThan(1);

    const limits = ["--max-tokens", "120", "--no-trace"];
    const solved = await json(
      ...["solve", ...pair, "--reward", `head:${head}`, "--threshold", "auto", ...limits, question],
    );
    const scored = solved.steps.flatMap(
      ({ reward, rejected }: { reward: number | null; rejected: { reward: number }[] }) => [
        ...rejected.map((one) => one.reward),
        ...(reward === null ? [] : [reward]),
      ],
    );
    expect(scored.length).toBeGreaterThan(0);
    for (const value of scored) expect(value > 0 && value < 1).toBe(true);
    expect(solved.ledger.reward.flops).toBe(0);

    const explain = ["reward", "explain", ...pair, "--reward", `head:${head}`, "--max-tokens", "20"];
    const strange = "was trained on steps that end at: blank-line";
    expect((await run([...explain, "--step", "line", question])).talk).toContain(strange);
    expect((await run([...explain, question])).talk).not.toContain(strange);
  }, 240_000);
});
