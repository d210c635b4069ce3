import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { question } from "../../src/cli/demo/story.js";
import { run } from "../cli/captured-host.js";

let root: string;
let task: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-bench-reward-"));
  task = join(root, "baker.jsonl");
  const rows = Array.from({ length: 4 }, (_, index) => ({ id: `baker-${index}`, question, answer: "92" }));
  await writeFile(task, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const bench = (out: string, method: string) =>
  run([
    ...["bench", "--task", task, "--draft", "demo:draft", "--target", "demo:target", "--temperature", "1"],
    ...["--json", "--out", join(root, out), "--method", method],
  ]);

test("each row is scored by the reward it names, and no other is opened", async () => {
  const { code, out, talk } = await bench(
    "own",
    "target,rsd:threshold=1;reward=demo:reward|confidence?feature=product",
  );
  expect(code).toBe(0);
  // Neither the default reward nor a word about it.
  expect(talk).not.toMatch(/judge:target/);
  const { rows, failed } = JSON.parse(out);
  expect(failed).toBe(0);
  const [, checked, confident] = rows;
  expect(checked.label).toBe("rsd:threshold=1;reward=demo:reward");
  expect(confident.label).toBe("rsd:threshold=1;reward=confidence?feature=product");
  expect(checked.meanScoredReward).toBeGreaterThan(0);
  expect(confident.meanScoredReward).not.toBeCloseTo(checked.meanScoredReward, 3);
  const { configuration, models } = JSON.parse(await readFile(join(root, "own", "bench.json"), "utf8"));
  expect(configuration.references.reward).toBeUndefined();
  // Another file under the same name would be another bench.
  expect(Object.keys(models)).toEqual([
    ...["draft", "target", "reward demo:reward", "reward confidence?feature=product"],
  ]);
  expect(configuration.methods.map(({ reward }: { reward?: string }) => reward)).toEqual([
    undefined,
    "demo:reward",
    "confidence?feature=product",
  ]);
});

test("a reward that does not fit is refused before a model is opened", async () => {
  const unknown = await bench("unknown", "rsd:reward=confidance");
  expect(unknown.code).toBe(2);
  expect(unknown.talk).toMatch(/did you mean "confidence"/);
  const oracle = await bench("oracle", "rsd:reward=oracle");
  expect(oracle.talk).toMatch(/oracle needs a task that checks steps/);
});
