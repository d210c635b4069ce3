import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { question } from "../../src/cli/demo/story.js";
import { main } from "../../src/cli/main.js";
import { capture, run } from "../cli/captured-host.js";

let root: string;
let task: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-bench-command-"));
  task = join(root, "baker.jsonl");
  const rows = Array.from({ length: 6 }, (_, index) => ({ id: `baker-${index}`, question, answer: "92" }));
  await writeFile(task, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const models = ["--draft", "demo:draft", "--target", "demo:target", "--reward", "demo:reward"];
const bench = (out: string, ...more: string[]) =>
  run(["bench", "--task", task, ...models, "--temperature", "1", "--out", join(root, out), ...more]);

/** The results without what a clock says. */
async function timeless(folder: string): Promise<string> {
  const text = await readFile(join(root, folder, "results.jsonl"), "utf8");
  return text.replaceAll(/"seconds":[\d.e-]+/g, "").replaceAll(/^\{"length":\d+,"checksum":"\w+"/gm, "");
}

describe("bench", () => {
  test("prints the contract as JSON, the talk elsewhere, and leaves files", async () => {
    const { code, out, talk } = await bench(
      "json",
      "--json",
      "--method",
      "draft,target,rsd:threshold=0.5..0.9/0.4",
    );
    expect(talk).toMatch(/^24\/24 · [\d,]+ tokens · draft \d+% \(/m);
    expect(code).toBe(0);
    const summary = JSON.parse(out);
    expect(summary).toMatchObject({ task, n: 6, isSmallSample: true, failed: 0, out: join(root, "json") });
    expect(summary.identity).toMatch(/^[0-9a-f]{64}$/);
    expect(summary.rows.map(({ label }: { label: string }) => label)).toEqual([
      "draft",
      "target",
      "rsd:threshold=0.5",
      "rsd:threshold=0.9",
    ]);
    const [draft, target, rsd] = summary.rows;
    expect(draft).toMatchObject({ method: "draft", options: {}, targetTokens: 0, acceptance: null });
    expect(target).toMatchObject({ flopsVsTarget: 1, versusTarget: null });
    expect(rsd.options).toMatchObject({ threshold: 0.5, weight: "step" });
    expect(rsd.accuracy).toBeGreaterThan(draft.accuracy);
    const { identity, out: _, ...rows } = summary;
    expect(JSON.parse(await readFile(join(root, "json", "rows.json"), "utf8"))).toEqual(rows);
    expect(await readFile(join(root, "json", "rows.md"), "utf8")).toContain("| rsd:threshold=0.9 |");
    expect(await readFile(join(root, "json", "rows.csv"), "utf8")).toMatch(/^label,method,/);
    expect(await readFile(join(root, "json", "report.html"), "utf8")).toContain("rsd:threshold=0.9");
    expect(await readFile(join(root, "json", "figures", "accuracy-by-flops.svg"), "utf8")).toMatch(
      /^<\?xml.*\n<svg/,
    );
    const file = JSON.parse(await readFile(join(root, "json", "bench.json"), "utf8"));
    expect(file.identity).toBe(identity);
    expect(file.models.draft.fingerprint).toMatch(/./);
  });

  test("again does nothing but show the same figures; other flags are refused by name", async () => {
    const first = await bench("again", "--json", "--limit", "3");
    const again = await bench("again", "--json", "--limit", "3");
    expect(JSON.parse(again.out)).toEqual(JSON.parse(first.out));
    expect(again.talk).not.toContain("9/9");
    const other = await bench("again", "--limit", "4");
    expect(other.code).toBe(2);
    expect(other.talk).toContain("its task.limit is 3, here it is 4");
    const threshold = await bench("again", "--limit", "3", "--method", "draft,target,rsd:threshold=0.8");
    expect(threshold.talk).toContain("its methods.2.label is rsd, here it is rsd:threshold=0.8");
  });

  test("shows a table to people, with the seeds of one question counted once", async () => {
    const { code, out, talk } = await bench("people", "--seeds", "2", "--offset", "4");
    expect(code).toBe(0);
    expect(out).toContain("2 questions");
    expect(out).toMatch(/^rsd +\d+\.\d % .*%$/m);
    expect(out).toContain("Only 2 questions");
    expect(talk).toContain(`results: ${join(root, "people")}`);
  });

  test("stopped by Ctrl-C keeps what is done, says how to go on, and goes on", async () => {
    const argv = ["bench", "--task", task, ...models, "--temperature", "1", "--out", join(root, "stopped")];
    const captured = capture();
    const talk = captured.host.talk;
    const host = {
      ...captured.host,
      talk: {
        ...talk,
        write(text: string) {
          talk.write(text);
          if (text.startsWith("6/18")) captured.stop();
        },
      },
    };
    expect(await main(argv, host)).toBe(130);
    expect(captured.talk()).toContain("The same command goes on with it.");
    const { code, talk: later } = await run(argv);
    expect(code).toBe(0);
    expect(later).toMatch(/Going on with .*: \d+ runs are left\./);
    const whole = await bench("unbroken");
    expect(whole.code).toBe(0);
    expect(await timeless("stopped")).toBe(await timeless("unbroken"));
  });

  test("killed twice by SIGKILL, taken up by the same command, ends in the same file", async () => {
    const many = join(root, "many.jsonl");
    const rows = Array.from({ length: 40 }, (_, index) => ({ id: `many-${index}`, question, answer: "92" }));
    await writeFile(many, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const argv = ["bench", "--task", many, ...models, "--temperature", "1", "--out"];
    const program = new URL("../../bin/stepwright.js", import.meta.url).pathname;
    const lines = async () =>
      (await readFile(join(root, "killed", "results.jsonl"), "utf8").catch(() => "")).split("\n").length - 1;
    for (const enough of [5, 60]) {
      const child = spawn(process.execPath, [program, ...argv, join(root, "killed")], { stdio: "ignore" });
      const exited = new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)));
      while (child.exitCode === null && (await lines()) < enough)
        await new Promise((wake) => setTimeout(wake, 2));
      child.kill("SIGKILL");
      expect(await exited).toBe("SIGKILL");
      expect(await lines()).toBeLessThan(120);
    }
    const { code, talk } = await run([...argv, join(root, "killed")]);
    expect(code).toBe(0);
    expect(talk).toMatch(/took over the lock of process \d+, which is gone/);
    expect((await run([...argv, join(root, "not-killed")])).code).toBe(0);
    expect(await timeless("killed")).toBe(await timeless("not-killed"));
    expect(await lines()).toBe(120);
  });

  test("takes its folder from its identity where none is named", async () => {
    const captured = capture();
    const argv = ["bench", "--task", task, ...models, "--limit", "2", "--method", "target", "--json"];
    expect(await main(argv, captured.host)).toBe(0);
    const { identity, out } = JSON.parse(captured.out());
    expect(out.endsWith(join("bench", identity.slice(0, 16)))).toBe(true);
  });
});

describe("what is wrong with a bench is said before a model is opened", () => {
  test.each([
    [[], "no --task is given", 2],
    [["--task", "gsm9k"], 'unknown task "gsm9k"', 2],
    [["--task", "gsm8k"], "stepwright tasks pull gsm8k", 2],
    [["--task", "gone.jsonl"], "there is no such file", 2],
    [["--task", "C:\\data\\gone.jsonl"], "there is no such file", 2],
    [["--task", "TASK", "--offset", "6"], "passes over all questions", 2],
    [["--task", "TASK", "--method", "rsd:treshold=1"], 'did you mean "threshold"', 2],
    [["--task", "TASK", "--method", "rds"], 'did you mean "rsd"', 2],
    [["--task", "TASK", "--draft", "gone.gguf"], "gone.gguf", 2],
    [["--task", "TASK", "--top-p", "0"], "--top-p", 2],
    [["--task", "TASK", "--config", "gone.json"], "gone.json", 2],
    [["--task", "TASK", "--as", "acqua"], 'did you mean "aqua"', 2],
  ])("%j", async (words, message, expected) => {
    const argv = words.map((word) => (word === "TASK" ? task : word));
    const { code, talk, out } = await run(["bench", ...models, ...argv]);
    expect(talk).toContain(message);
    expect(code).toBe(expected);
    expect(out).toBe("");
  });

  test("a folder that cannot be made", async () => {
    const { code, talk } = await run(["bench", "--task", task, ...models, "--out", join(task, "inside")]);
    expect(talk).toContain("choose a folder that can be written");
    expect(code).toBe(1);
  });

  test("a target is missing", async () => {
    const { code, talk } = await run([
      "bench",
      "--task",
      task,
      "--draft",
      "demo:draft",
      "--method",
      "draft,target",
    ]);
    expect(talk).toContain("no target is named");
    expect(code).toBe(2);
  });

  test("scripted models are not asked what they cannot know", async () => {
    const other = join(root, "other.jsonl");
    await writeFile(other, '{"question": "2 + 2?", "answer": "4"}\n');
    const { code, talk } = await run(["bench", "--task", other, ...models]);
    expect(talk).toContain("know no question but their own");
    expect(code).toBe(2);
  });
});

test("a file may be read and graded as a task's", async () => {
  const answer = "84 - 15 = 69 rolls\n#### 92";
  const file = join(root, "like-gsm8k.jsonl");
  await writeFile(
    file,
    `${JSON.stringify({ question, answer })}\n${JSON.stringify({ problem: question, answer: 92 })}\n`,
  );
  const argv = ["bench", "--task", file, "--as", "gsm8k", ...models, "--method", "target", "--json"];
  const { code, out, captured } = await run([...argv, "--out", join(root, "like-gsm8k")]);
  expect(code).toBe(0);
  expect(captured.exits).toEqual([]);
  expect(JSON.parse(out)).toMatchObject({ n: 2, rows: [{ accuracy: 1 }] });
  const configuration = JSON.parse(
    await readFile(join(root, "like-gsm8k", "bench.json"), "utf8"),
  ).configuration;
  expect(configuration.task.grading).toBe("gsm8k");
  const refused = await run(["bench", "--task", "gsm8k", "--as", "aqua", ...models]);
  expect(refused.talk).toContain("--as is for files");
  expect(refused.code).toBe(2);
});

test("lines that cannot be used are reported, the rest is asked", async () => {
  const mixed = join(root, "mixed.jsonl");
  await writeFile(mixed, `\ufeffnonsense\r\n${JSON.stringify({ question, answer: "92" })}\r\n`);
  const argv = [
    "bench",
    "--task",
    mixed,
    ...models,
    "--method",
    "target",
    "--out",
    join(root, "mixed"),
    "--json",
  ];
  const { code, talk, out } = await run(argv);
  expect(code).toBe(0);
  expect(talk).toContain("line 1 is not JSON");
  expect(talk).toContain("1 lines cannot be used; 1 questions can.");
  expect(JSON.parse(out).rows[0]).toMatchObject({ accuracy: 1, strictAccuracy: 1 });
});
