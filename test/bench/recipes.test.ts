/** Recipes: what they may say, and every one of ours. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseMethodList } from "../../src/bench/method-list.js";
import { benchSchema } from "../../src/cli/bench-settings.js";
import { question } from "../../src/cli/demo/story.js";
import { flagsOf } from "../../src/cli/flags.js";
import { recipeLayer } from "../../src/cli/recipe-file.js";
import { rolesOf } from "../../src/cli/run-session.js";
import { settle } from "../../src/cli/settings.js";
import { methods } from "../../src/methods/index.js";
import { errorOf } from "../../src/testing/bench-world.js";
import { run } from "../cli/captured-host.js";

const flags = flagsOf(benchSchema);
const recipesFolder = fileURLToPath(new URL("../../recipes/", import.meta.url));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-recipes-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

let count = 0;
async function recipe(text: string): Promise<string> {
  const path = join(root, `${count++}.yaml`);
  await writeFile(path, text);
  return path;
}

const settingsOf = async (path: string) => settle(benchSchema, flags, await recipeLayer(path, flags));

describe("a recipe", () => {
  test("says what the flags say, and a sweep as a list", async () => {
    const path = await recipe(
      "task: gsm8k\nlimit: 30\nmethod: draft,target,rsd\noptions:\n  threshold: [0.5, 0.7]\n  weight: step\ndraft: a.gguf\ntop-p: 0.9\n",
    );
    expect(await settingsOf(path)).toMatchObject({
      task: "gsm8k",
      limit: 30,
      method: "draft,target,rsd:threshold=0.5|0.7;weight=step",
      draft: "a.gguf",
      topP: 0.9,
    });
  });

  test("gives way to flags", async () => {
    const task = join(root, "baker.jsonl");
    await writeFile(task, `${JSON.stringify({ question, answer: "92" })}\n`);
    const path = await recipe(
      `task: ${task}\nmethod: rsd\noptions: {threshold: 0.9}\ndraft: demo:draft\ntarget: demo:target\nreward: demo:reward\nseeds: 2\n`,
    );
    const { out, code } = await run(["bench", "--recipe", path, "--seeds", "1", "--json"]);
    expect(code).toBe(0);
    const { rows, seeds } = JSON.parse(out);
    expect(seeds).toBe(1);
    expect(rows[0]).toMatchObject({ label: "rsd:threshold=0.9", options: { threshold: 0.9 } });
  });

  test.each([
    ["methods: rsd", 'unknown key "methods"'],
    ["options: {threshold: 1}", '"options" need a "method"'],
    ["method: rsd:threshold=1\noptions: {weight: clip}", '"rsd:threshold=1" has options already'],
    ["method: rsd\noptions: {threshold: {a: 1}}", 'option "threshold" must be a number, a word'],
    ["method: rsd\noptions: {threshold: '1;weight=clip'}", 'option "threshold" must be'],
    ["- rsd", "must hold `key: value` lines"],
    ["a: &a [x]\nb: *a", "Alias resolution is disabled"],
    ["method: [", "at line 1"],
  ])("that is wrong is refused with the reason: %s", async (text, words) => {
    const path = await recipe(text);
    const error = await errorOf(recipeLayer(path, flags));
    expect(error.code).toBe("invalid-option");
    expect(error.message).toContain(path);
    expect(error.message).toContain(words);
  });

  test("that is not there is named", async () => {
    const { code, talk } = await run(["bench", "--recipe", "none.yaml"]);
    expect(code).toBe(2);
    expect(talk).toContain("none.yaml: no such file");
  });
});

const ours = (await readdir(recipesFolder, { recursive: true }).catch(() => [])).filter((name) =>
  /\.ya?ml$/.test(name),
);

test.each(ours)("recipes/%s names known flags, methods, options and every model it needs", async (name) => {
  const settings = await settingsOf(join(recipesFolder, name));
  expect(settings.task).toBeDefined();
  for (const { method } of await parseMethodList(settings.method, methods)) {
    for (const role of rolesOf(method))
      expect(settings[role], `${method.name} needs a ${role}`).toBeDefined();
  }
});
