/** Rewards of the lab on the command line, over libllama, on tiny models made for the test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeTinyModel } from "../../src/testing/tiny-model.js";
import { run } from "../cli/captured-host.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-lab-"));
const at = (name: string) => join(folder, name);
const story = "Mia has 37 coins. Finds 25. Times 1. How many?";

beforeAll(async () => {
  await writeTinyModel(at("small.gguf"), { seed: 1, context: 1024 });
  await writeTinyModel(at("large.gguf"), { seed: 2, layers: 3, context: 1024 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function solve(...argv: string[]) {
  const pair = ["--draft", at("small.gguf"), "--target", at("large.gguf")];
  const limits = ["--max-tokens", "24", "--max-step-tokens", "8", "--no-trace", "--json"];
  const { code, out, talk } = await run(["solve", ...pair, ...limits, ...argv, story]);
  return { code, talk, result: JSON.parse(out) };
}

describe("solve", () => {
  it("asks the task's checker with --reward oracle: no step of an untrained draft is right", async () => {
    const { code, result, talk } = await solve("--reward", "oracle", "--task", "lab");
    expect(code, talk).toBe(0);
    expect(result.steps.length).toBeGreaterThan(0);
    for (const { origin, rejected } of result.steps) {
      expect(origin).toBe("target");
      expect(rejected.map(({ reward }: { reward: number }) => reward)).toEqual([0]);
    }
  });

  it("refuses the oracle for a question of no task", async () => {
    const { code, result } = await solve("--reward", "oracle");
    expect(code).not.toBe(0);
    expect(result.error).toMatchObject({ code: "missing-capability", subject: "reward" });
  });

  it("scores by the draft's own probabilities, for nothing", async () => {
    const { code, result } = await solve("--reward", "confidence?feature=entropy", "--threshold", "0.2");
    expect(code).toBe(0);
    expect(result.ledger.reward).toMatchObject({ prefillTokens: 0, decodeTokens: 0, flops: 0 });
    expect(result.ledger.reward.calls).toBeGreaterThan(0);
  });

  it("reads with the target in its own place: a step is in its cache when it writes", async () => {
    const { code, result, talk } = await solve("--reward", "likelihood:target", "--threshold", "1.5");
    expect(code, talk).toBe(0);
    const { reward, target } = result.ledger;
    const scored = result.steps.flatMap(({ rejected }: { rejected: { tokens: number }[] }) => rejected);
    const tokens = scored.reduce((sum: number, step: { tokens: number }) => sum + step.tokens, 0);
    expect(reward.prefillTokens).toBe(tokens);
    // The prompt is the target's, and is read once: what it wrote itself it never reads.
    const alone = await solve("--method", "target");
    expect(target.prefillTokens).toBe(alone.result.ledger.target.prefillTokens);
    expect(result.text).toBe(alone.result.text);
  });
});
