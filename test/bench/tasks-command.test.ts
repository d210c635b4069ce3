import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tasks } from "../../src/tasks/index.js";
import { type FakeHub, startFakeHub } from "../../src/testing/fake-hub.js";
import { run } from "../cli/captured-host.js";

const rows = [
  { problem: "What is 1 + 1?", solution: "It is $\\boxed{2}$.", answer: "2", unique_id: "a" },
  { problem: "What is 2 + 2?", solution: "It is $\\boxed{4}$.", answer: "4", unique_id: "b" },
  { problem: "Unfinished" },
];
const file = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

let cache: string;
let hub: FakeHub;
let environment: Record<string, string>;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "stepwright-tasks-"));
  hub = await startFakeHub(
    { "test.jsonl": file },
    { kind: "datasets", repository: "HuggingFaceH4/MATH-500" },
  );
  environment = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache };
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(cache, { recursive: true, force: true });
});

describe("tasks", () => {
  test("are listed with source, licence and whether they are here", async () => {
    const { code, out } = await run(["tasks", "list", "--json"], { environment });
    expect(code).toBe(0);
    const listed = JSON.parse(out);
    expect(listed.map(({ name }: { name: string }) => name)).toEqual(tasks.names);
    expect(listed[1]).toMatchObject({ name: "math500", size: 500, licence: "MIT", path: null });
    const text = await run(["tasks", "list"], { environment });
    for (const name of tasks.names)
      expect(text.out).toMatch(
        new RegExp(`^${name} +[\\d,]+ +${name.startsWith("lab") ? "yes" : "no"} `, "m"),
      );
  });

  test("that arrive with other bytes than the hub lists are refused", async () => {
    hub.faults.push({ corrupt: true });
    const { code, talk } = await run(["tasks", "pull", "math500"], { environment });
    expect(code).toBe(1);
    expect(talk).toContain("another checksum");
    expect((await run(["bench", "--task", "math500"], { environment })).talk).toContain("tasks pull math500");
  });

  test("are pulled where a download was cut, checked, and found again", async () => {
    hub.faults.push({ cutAfter: 40 });
    const { code, out, talk } = await run(["tasks", "pull", "math500"], { environment });
    expect(code).toBe(0);
    expect((await readFile(out.trim())).equals(file)).toBe(true);
    expect(talk).toContain("MIT; 2 questions of 500 can be used");
    const again = await run(["tasks", "pull", "math500", "--json"], { environment });
    expect(JSON.parse(again.out)).toMatchObject({
      task: "math500",
      questions: 2,
      problems: [{ line: 3, problem: "has no answer" }],
    });
    const listed = await run(["tasks", "list", "--json"], { environment });
    expect(JSON.parse(listed.out)[1].path).toBe(out.trim());
  });

  test("are read by bench", async () => {
    const models = ["--draft", "demo:draft", "--method", "draft"];
    const { code, talk } = await run(["bench", "--task", "math500", ...models], { environment });
    // The scripted models know another question; that this is said shows that these were read.
    expect(talk).toContain("line 3 has no answer");
    expect(talk).toContain("know no question but their own");
    expect(code).toBe(2);
  });

  test("are found in a data set that was laid out anew, if there is no doubt which file it is", async () => {
    const layouts: [Record<string, Uint8Array>, number][] = [
      [{ "data/test-00000-of-00001.jsonl": file, "train.jsonl": file }, 0],
      [{ "README.md": file, "all.jsonl": file }, 0],
      [{ "data/test.jsonl": file, "other/test.jsonl": file }, 1],
      [{ "easy.jsonl": file, "hard.jsonl": file }, 1],
    ];
    for (const [files, expected] of layouts) {
      await using anew = await startFakeHub(files, {
        kind: "datasets",
        repository: "HuggingFaceH4/MATH-500",
      });
      const folder = await mkdtemp(join(cache, "anew-"));
      const there = { HF_ENDPOINT: anew.endpoint, HF_HUB_CACHE: folder };
      const { code, talk } = await run(["tasks", "pull", "math500"], { environment: there });
      expect(code, talk).toBe(expected);
      const listed = await run(["tasks", "list", "--json"], { environment: there });
      expect(JSON.parse(listed.out)[1].path === null).toBe(expected === 1);
    }
  });

  test("are refused with advice where they cannot come", async () => {
    const offline = await run(["tasks", "pull", "math500", "--offline"], { environment });
    expect(offline.code).toBe(1);
    expect(offline.talk).toContain("downloads are switched off");
    const elsewhere = await run(["tasks", "pull", "minerva"], { environment });
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.talk).toContain("no such repository");
    const unknown = await run(["tasks", "pull", "math5000"], { environment });
    expect(unknown.code).toBe(2);
    expect(unknown.talk).toContain('did you mean "math500"');
    expect((await run(["tasks", "pull"], { environment })).code).toBe(2);
  });
});
