/** Tasks that are made from an index, through the command line. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { benchTask } from "../../src/cli/bench-task.js";
import type { CommandContext } from "../../src/cli/command.js";
import { hubSettings } from "../../src/models/hub-settings.js";
import { run } from "../cli/captured-host.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-lab-task-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const bench = (...argv: string[]) =>
  run(["bench", "--method", "draft", "--draft", "demo:draft", "--out", join(root, "out"), ...argv]);

/** What a bench would ask, and what it says about it. */
async function asked(task: string, offset: number) {
  const said: string[] = [];
  const context = { say: (line: string) => said.push(line) } as unknown as CommandContext;
  const chosen = await benchTask({ task, offset, limit: 3, as: undefined }, context, hubSettings({}));
  return { ...chosen, said };
}

test("--offset is the index, and steps can be judged", async () => {
  const { questions, checkStep, said } = await asked("lab:2", 700_000);
  expect(questions.map(({ id }) => id)).toEqual(["lab:2-700000", "lab:2-700001", "lab:2-700002"]);
  expect(checkStep!(questions[0]!, [], questions[0]!.steps![0]!)).toBe(true);
  expect(said).toEqual([]);
});

test("figures on training indices are remarked on", async () => {
  expect((await asked("lab-edit", 499_999)).said).toEqual([
    expect.stringContaining("trained on indices below 500,000"),
  ]);
});

test("a million questions are asked only by a limit, and none beyond", async () => {
  for (const argv of [[], ["--offset", "999999", "--limit", "2"]]) {
    const { code, talk } = await bench("--task", "lab", ...argv);
    expect(code).toBe(2);
    expect(talk).toMatch(/--limit/);
  }
});

test("unknown levels and pulls are refused with what to do", async () => {
  const unknown = await bench("--task", "lab:9", "--limit", "1");
  expect([unknown.code, unknown.talk]).toEqual([2, expect.stringContaining("levels are 1 to 5")]);
  const pull = await run(["tasks", "pull", "lab"]);
  expect([pull.code, pull.talk]).toEqual([2, expect.stringContaining("stepwright bench --task lab")]);
});

test("the list says that they are made, with their levels", async () => {
  const tasks = JSON.parse((await run(["tasks", "list", "--json"])).out);
  expect(tasks.find(({ name }: { name: string }) => name === "lab")).toMatchObject({
    source: null,
    levels: 5,
    size: 1_000_000,
  });
  expect((await run(["tasks", "list"])).out).toMatch(/^lab +1,000,000 +yes .*made from an index$/m);
});
