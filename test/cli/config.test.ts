/** Case 88 of reliability: a bad configuration is one message with path and suggestion, exit 2, before anything is loaded. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { question } from "../../src/cli/demo/story.js";
import { run } from "./captured-host.js";

const models = { draft: "demo:draft", target: "demo:target", reward: "demo:reward" };

function files(contents: Record<string, unknown>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "stepwright-config-"));
  for (const [name, content] of Object.entries(contents)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  }
  return (name) => join(folder, name);
}

async function solve(path: string, argv: string[] = [], environment: Record<string, string> = {}) {
  return run(["solve", "--config", path, ...argv, "--json", question], { environment });
}

describe("a configuration file", () => {
  it("gives flags of the command and of the method, and includes others below itself", async () => {
    const at = files({
      "base/models.json": { ...models, seed: 3, "max-steps": 2 },
      "run.json": { include: "base/models.json", threshold: 0, "max-steps": 4 },
    });
    const result = JSON.parse((await solve(at("run.json"))).out);
    expect(result).toMatchObject({ seed: 3, finish: "length" });
    expect(result.steps).toHaveLength(4);
    expect(result.steps.every((step: { origin: string }) => step.origin === "draft")).toBe(true);
  });

  it("includes several, the later one winning, each file relative to its own folder", async () => {
    const at = files({
      "a/one.json": { ...models, seed: 1 },
      "a/b/two.json": { include: "../three.json", "max-steps": 1 },
      "a/three.json": { seed: 2 },
      "run.json": { include: ["a/one.json", "a/b/two.json"] },
    });
    expect(JSON.parse((await solve(at("run.json"))).out)).toMatchObject({ seed: 2, finish: "length" });
  });

  it("yields to the environment, and that to a flag", async () => {
    const at = files({ "run.json": { ...models, seed: 1 } });
    const seedOf = async (...given: Parameters<typeof solve>) => JSON.parse((await solve(...given)).out).seed;
    expect(await seedOf(at("run.json"))).toBe(1);
    expect(await seedOf(at("run.json"), [], { STEPWRIGHT_SEED: "2" })).toBe(2);
    expect(await seedOf(at("run.json"), ["--seed", "3"], { STEPWRIGHT_SEED: "2" })).toBe(3);
  });

  it("may be included twice, but not by itself", async () => {
    const at = files({
      "shared.json": models,
      "a.json": { include: "shared.json" },
      "run.json": { include: ["a.json", "shared.json"] },
    });
    expect((await solve(at("run.json"))).code).toBe(0);
  });

  it("may choose the method whose options it gives", async () => {
    const at = files({ "run.json": { method: "target", target: "demo:target" } });
    expect(JSON.parse((await solve(at("run.json"))).out).method).toBe("target");
    const wrong = files({ "run.json": { method: "target", target: "demo:target", threshold: 1 } });
    const { code, talk } = await solve(wrong("run.json"));
    expect(code).toBe(2);
    expect(talk).toContain('unknown key "threshold"');
  });
});

describe("a bad configuration", () => {
  const at = files({
    "unknown.json": { ...models, treshold: 1 },
    "underscore.json": { ...models, max_tokens: 1 },
    "type.json": { ...models, seed: "one" },
    "range.json": { ...models, threshold: 7 },
    "boolean.json": { ...models, exact: 1 },
    "number.json": { ...models, draft: 5 },
    "self.json": { include: "self.json" },
    "ring/a.json": { include: "b.json" },
    "ring/b.json": { include: "../ring/a.json" },
    "include.json": { include: 5 },
    "gone.json": { include: "nowhere.json" },
    "syntax.json": "{ seed: 1 }",
    "list.json": [],
    "nested.json": { ...models, config: "run.json" },
    "model.json": { method: "draft", draft: "missing.gguf" },
  });

  it.each([
    ["unknown.json", 'unknown key "treshold"', 'did you mean "threshold"?'],
    ["underscore.json", 'unknown key "max_tokens"', 'did you mean "max-tokens"?'],
    ["type.json", '"seed" must be a whole number of at least 0, not "one"', ""],
    ["range.json", '"threshold" must be a number from 0 to 2 or auto, not 7', ""],
    ["boolean.json", '"exact" must be true or false, not 1', ""],
    ["number.json", '"draft" must be a text, not 5', ""],
    ["self.json", "includes itself", "remove one of these includes"],
    [
      "ring/a.json",
      `includes itself: ${at("ring/a.json")} -> ${at("ring/b.json")} -> ${at("ring/a.json")}`,
      "",
    ],
    ["include.json", '"include" must be a file name or a list of them', ""],
    ["gone.json", `${at("nowhere.json")}: no such file`, "check the path"],
    ["syntax.json", "is not JSON", 'write it as {"method": "rsd", ...}'],
    ["list.json", "must hold one JSON object", ""],
    ["nested.json", 'unknown key "config"', ""],
    ["nowhere.json", "no such file", "check the path given to --config"],
  ])("%s", async (name, message, remedy) => {
    const { code, out, talk } = await solve(at(name));
    expect(code).toBe(2);
    expect(talk).toContain(message);
    expect(talk).toContain(remedy);
    expect(talk).toContain(dirname(at("x")));
    const { error } = JSON.parse(out);
    expect(error.code).toBe("invalid-option");
    expect(talk).toContain(error.message);
  });

  it("with a missing model says which", async () => {
    const { code, talk } = await solve(at("model.json"));
    expect(code).toBe(2);
    expect(talk).toContain("missing.gguf");
    expect(talk).toContain("stepwright models list");
  });

  it("from the environment names the variable", async () => {
    const good = files({ "run.json": models });
    const { code, talk } = await solve(good("run.json"), [], { STEPWRIGHT_MAX_STEPS: "many" });
    expect(code).toBe(2);
    expect(talk).toContain('STEPWRIGHT_MAX_STEPS must be a whole number of at least 1, not "many"');
  });
});
