/** calibrate on a tiny model, and what bench makes of it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTinyModel } from "../../src/testing/tiny-model.js";
import { run } from "../cli/captured-host.js";

let root: string;
let model: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-calibrate-"));
  model = join(root, "tiny.gguf");
  await writeTinyModel(model);
});
afterAll(() => rm(root, { recursive: true, force: true }));

test("a calibrated model's rows say how near they came to the machine's limits", async () => {
  const environment = { STEPWRIGHT_HOME: join(root, "home") };
  const measured = await run(["calibrate", model, "--rounds", "1", "--json"], { environment });
  expect(measured.code).toBe(0);
  const { bandwidth, models } = JSON.parse(measured.out);
  expect(bandwidth).toBeGreaterThan(1e8);
  expect(models[0].curve[0].tokens).toBe(1);
  expect(models[0].writeSeconds).toBeGreaterThan(0);

  const task = join(root, "task.jsonl");
  await writeFile(task, `${JSON.stringify({ question: "one?", answer: "1" })}\n`);
  const argv = ["bench", "--task", task, "--method", "target", "--target", model, "--max-tokens", "8"];
  const { out, code } = await run([...argv, "--out", join(root, "bench"), "--json"], { environment });
  expect(code).toBe(0);
  const [row] = JSON.parse(out).rows;
  expect(row.tokens.target.weightReads).toBeGreaterThan(0);
  expect(row.bytesMoved).toBeGreaterThanOrEqual(row.tokens.target.weightReads * models[0].size.bytes);
  for (const figure of ["memoryFraction", "computeFraction", "expectedSeconds"])
    expect(row[figure]).toBeGreaterThan(0);
  expect(row.computeFraction).toBeLessThan(1);
});
