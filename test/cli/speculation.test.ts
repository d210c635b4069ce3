/** Speculation on the command line, on tiny models made for the test. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { writeTinyModel } from "../../src/testing/tiny-model.js";
import { run } from "./captured-host.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-speculation-"));
const at = (name: string) => join(folder, name);
const limits = [
  "--max-tokens",
  "32",
  "--max-step-tokens",
  "8",
  "--seed",
  "1",
  "--temperature",
  "1",
  "--exact",
];
const pair = ["--draft", at("small.gguf"), "--target", at("large.gguf")];

beforeAll(async () => {
  await writeTinyModel(at("small.gguf"), { seed: 1, context: 4096 });
  await writeTinyModel(at("large.gguf"), { seed: 2, layers: 3, context: 4096 });
  await writeTinyModel(at("foreign.gguf"), { seed: 1, context: 4096, words: [" other"] });
});

function solve(...argv: string[]) {
  return run(["solve", ...argv, ...limits, "12 plus 25"]);
}

async function solved(...argv: string[]) {
  const { code, out, talk } = await solve(...argv, "--json");
  expect(code, talk).toBe(0);
  return JSON.parse(out);
}

async function refused(...argv: string[]) {
  const { code, out } = await solve(...argv, "--json");
  expect(code).toBeGreaterThan(0);
  return JSON.parse(out).error;
}

describe("solve --speculate", () => {
  it("writes what is written without it, and tells the drafts", async () => {
    const plain = await solved("--method", "target", ...pair);
    const controller = ["--speculate-controller", "fixed?depth=3"];
    const speculated = await solved("--method", "target", ...pair, "--speculate", "model", ...controller);
    expect(speculated.text).toBe(plain.text);
    const { drafted, accepted, blocks } = speculated.ledger.target.speculation;
    expect(drafted).toBeGreaterThan(accepted);
    expect(blocks).toBeGreaterThan(0);
    expect(speculated.ledger.draft).toMatchObject({ decodeTokens: 0, calls: 0 });
    expect(speculated.ledger.draft.read.drafting).toBe(speculated.ledger.draft.prefillTokens);
    const { out } = await solve("--method", "target", ...pair, "--speculate", "model", ...controller);
    expect(out).toMatch(/For the target, \d+ of \d+ drafted tokens \(\d+%\) were accepted in \d+ blocks/);
  });

  it("drafts for both writers where no draft model is needed, whoever judges", async () => {
    const plain = await solved(...pair, "--threshold", "0.5", "--reward", "judge:target");
    const controller = ["--speculate", "recycling", "--speculate-controller", "fixed?nodes=4&depth=2"];
    const speculated = await solved(...pair, "--threshold", "0.5", "--reward", "judge:target", ...controller);
    expect(speculated.text).toBe(plain.text);
    expect(speculated.steps).toEqual(plain.steps);
    expect(speculated.ledger.draft.speculation.drafted).toBeGreaterThan(0);
  });

  it("goes on with a cut run as it was begun", async () => {
    const trace = at("cut.jsonl");
    const flags = ["--method", "target", ...pair, "--speculate", "lookup", "--trace", trace];
    const whole = await solved(...flags);
    const lines = readFileSync(trace, "utf8").trimEnd().split("\n");
    writeFileSync(trace, `${lines.slice(0, 4).join("\n")}\n`);
    const { code, out, talk } = await run(["solve", "--resume", trace, "--json"]);
    expect(code, talk).toBe(0);
    expect(JSON.parse(out).steps).toEqual(whole.steps);
    const [started] = readFileSync(trace, "utf8").split("\n");
    expect(started).toContain('"drafter":{"name":"lookup"');
  });

  it("refuses what cannot draft, before a model is opened where it can be told", async () => {
    const target = ["--method", "target", "--target", at("large.gguf")];
    expect(await refused(...target, "--speculate", "lokup")).toMatchObject({
      code: "unknown-name",
      remedy: expect.stringContaining("lookup"),
    });
    expect(
      await refused(...target, "--speculate", "lookup", "--speculate-controller", "fixed?depth=no"),
    ).toMatchObject({ code: "invalid-option" });
    expect(await refused(...target, "--speculate", "model")).toMatchObject({ code: "missing-role" });
    const foreign = ["--draft", at("foreign.gguf"), "--speculate", "model"];
    expect(await refused(...target, ...foreign)).toMatchObject({
      code: "vocabulary-mismatch",
      subject: "draft",
    });
    const plain = await solved(...target, "--draft", at("foreign.gguf"), "--speculate", "auto");
    expect(plain.text).toBe((await solved(...target)).text);
  });
});

describe("speculation", () => {
  it("lists drafters, rules and controllers, and the options of one", async () => {
    const { out, code } = await run(["speculation", "--json"]);
    expect(code).toBe(0);
    const listed = JSON.parse(out);
    expect(Object.keys(listed)).toEqual(["drafters", "rules", "controllers"]);
    for (const entries of Object.values<{ name: string; options: object }[]>(listed)) {
      for (const { options } of entries) expect(options).toHaveProperty("properties");
    }
    expect((await run(["speculation", "confidence"])).out).toContain("threshold");
    expect((await run(["speculation", "confidance"])).code).toBe(2);
  });
});
