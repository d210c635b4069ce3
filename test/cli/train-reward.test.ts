/** What `train reward` refuses, and how it stops, on the command line. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { writeTinyModel } from "../../src/testing/tiny-model.js";
import { capture, run } from "./captured-host.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-train-"));
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  await writeTinyModel(at("small.gguf"), { seed: 1, context: 1024 });
  const lines = Array.from({ length: 12 }, (_, index) => ({
    question: `${index} + 1?`,
    answer: `${1000 + index}`,
  }));
  writeFileSync(at("mine.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (...argv: string[]) => [
  ...["train", "reward", "--draft", at("small.gguf"), "--task", at("mine.jsonl"), "--max-tokens", "8"],
  ...["--features", "statistics", "--out", at("head.safetensors"), ...argv],
];

describe("train reward", () => {
  it.each([
    [["--labels", "outcom"], "outcome"],
    [["--labels", "monte-carlo?rollout=4"], "rollouts"],
    [["--labels", "outcome,outcome"], "named twice"],
    [["--features", "statistic"], "statistics"],
    [["--held-out", "1.5"], "no share"],
    [["--held-out", at("missing.jsonl")], "missing.jsonl"],
    [["--step", "word"], "no way to end a step"],
    [["--labels", "spare"], "worked solution"],
    [["--labels", "check"], "cannot check steps"],
    [["--rule", "target-mean"], "target"],
  ])("refuses %j before work", async (argv, word) => {
    const { code, talk } = await run(train(...argv, "--work", at("refused")));
    expect(code).not.toBe(0);
    expect(talk).toContain(word);
    expect(existsSync(at("refused/answers.jsonl"))).toBe(false);
  });

  it("says what is wrong with answers that are all wrong", async () => {
    const { code, talk } = await run(train("--samples", "1", "--work", at("wrong")));
    expect(code).toBe(1);
    expect(talk).toContain("all 9 training answers are wrong");
    expect(existsSync(at("head.safetensors"))).toBe(false);
  });

  it("stops calmly, and goes on where it was", async () => {
    const captured = capture();
    const running = main(train("--samples", "8", "--concurrency", "1", "--work", at("cut")), captured.host);
    const looking = setInterval(() => {
      if (captured.talk().includes("answers of the draft")) captured.stop();
    }, 5);
    const code = await running.finally(() => clearInterval(looking));
    expect(code).toBe(130);
    expect(captured.talk()).toContain("the same command goes on with it");
    expect(captured.talk()).not.toContain("error");
    const { talk } = await run(train("--samples", "8", "--work", at("cut")));
    expect(talk).toContain("training answers are wrong");
  });

  it("refuses another training in the folder of one, and names what differs", async () => {
    const { code, talk } = await run(train("--samples", "1", "--work", at("wrong"), "--seed", "3"));
    expect(code).toBe(2);
    expect(talk).toContain("its answers are of seed 0, here it is 3");
  });
});
