/** The command line over libllama, on tiny models made for the test. */
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeTinyModel } from "../../src/testing/tiny-model.js";
import { run } from "./captured-host.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-native-"));
const at = (name: string) => join(folder, name);
const limits = ["--max-tokens", "24", "--max-step-tokens", "8", "--seed", "1", "--temperature", "1"];

beforeAll(async () => {
  await writeTinyModel(at("small.gguf"), { seed: 1, context: 4096 });
  await writeTinyModel(at("large.gguf"), { seed: 2, layers: 3, context: 4096 });
});

async function solve(...argv: string[]) {
  const { code, out, talk, captured } = await run(["solve", ...argv, ...limits, "--json", "12 plus 25"]);
  return { code, talk, captured, result: JSON.parse(out) };
}

describe("solve on model files", () => {
  it("runs rsd with a judge, and the draft alone with the same words at threshold 0", async () => {
    const pair = ["--draft", at("small.gguf"), "--target", at("large.gguf")];
    const rsd = await solve(...pair, "--threshold", "0");
    expect(rsd.code, rsd.talk).toBe(0);
    expect(rsd.talk).toContain("the target judges the steps");
    expect(rsd.result.steps.length).toBeGreaterThan(0);
    for (const step of rsd.result.steps) {
      expect(step.origin).toBe("draft");
      expect(step.reward).toBeGreaterThanOrEqual(0);
      expect(step.reward).toBeLessThanOrEqual(1);
    }
    expect(rsd.result.ledger.target.calls).toBe(0);
    expect(rsd.result.ledger.reward.calls).toBe(rsd.result.steps.length);
    const draft = await solve("--method", "draft", "--draft", at("small.gguf"));
    expect(draft.result.text).toBe(rsd.result.text);
    const above = await solve(...pair, "--threshold", "1.5");
    const target = await solve("--method", "target", "--target", at("large.gguf"));
    expect(above.result.text).toBe(target.result.text);
    expect(above.result.ledger.draft.discardedTokens).toBe(above.result.ledger.draft.decodeTokens);
  });

  it("gives the same in the batch-invariant mode, run after run", async () => {
    const exact = ["--method", "draft", "--draft", at("small.gguf"), "--exact"];
    const [one, other] = [await solve(...exact), await solve(...exact)];
    expect(one.code).toBe(0);
    expect(other.result.text).toBe(one.result.text);
  });

  it("refuses a broken file with exit 1, and leaves no trace", async () => {
    writeFileSync(at("broken.gguf"), "GGUF and nothing more");
    const { code, result, captured } = await solve("--method", "draft", "--draft", at("broken.gguf"));
    expect(code).toBe(1);
    expect(result.error).toMatchObject({
      code: "model-invalid",
      subject: expect.stringContaining("broken.gguf"),
    });
    expect(readdirSync(join(captured.host.workingFolder, "state", "runs"))).toEqual([]);
  });
});
