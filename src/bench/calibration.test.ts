import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScriptedModel } from "../models/scripted.js";
import { errorOf } from "../testing/bench-world.js";
import { curveWidths, measurePasses } from "./calibrate-model.js";
import { loadCalibration, type ModelCalibration, rolesRates, saveCalibration } from "./calibration.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-calibration-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const scripted = new ScriptedModel({
  law: { steps: () => [{ text: "a long step of many words that goes on and on", probability: 1 }] },
  secondsPerToken: 0.002,
});

async function calibration(
  fingerprint: string,
  more: Partial<ModelCalibration> = {},
): Promise<ModelCalibration> {
  return {
    name: fingerprint,
    fingerprint,
    threads: 1,
    size: scripted.size,
    cacheBytesPerToken: 64,
    loadSeconds: 1,
    ...(await measurePasses(scripted, { rounds: 2 })),
    measured: "2026-11-22T00:00:00Z",
    ...more,
  };
}

test("passes of a model with a known cost are measured as such, and leave nothing open", async () => {
  const costs = await measurePasses(scripted, { rounds: 3 });
  expect(costs.writeSeconds).toBeCloseTo(0.002, 9);
  expect(costs.readSeconds).toBeCloseTo(0.002, 9);
  expect(costs.curve.map(({ tokens }) => tokens)).toEqual([...curveWidths]);
  for (const { tokens, seconds } of costs.curve) expect(seconds).toBeCloseTo(0.002 * tokens, 9);
  expect(scripted.liveBranches).toBe(0);
});

test("a model of a small context is measured as far as that goes", async () => {
  const small = new ScriptedModel({ ...scripted.options, size: { context: 40 } });
  const { curve } = await measurePasses(small, { rounds: 1 });
  expect(curve.map(({ tokens }) => tokens)).toEqual([1, 2, 4, 8, 16]);
});

test("calibrations are kept by model and threads, the newest counting", async () => {
  const folder = join(root, "kept");
  expect(await loadCalibration(folder)).toBeUndefined();
  await saveCalibration(folder, 1e10, [await calibration("a"), await calibration("b")]);
  await saveCalibration(folder, 2e10, [
    await calibration("a", { loadSeconds: 2 }),
    await calibration("a", { threads: 4 }),
  ]);
  const found = (await loadCalibration(folder))!;
  expect(found.bandwidth).toBe(2e10);
  expect(found.models.map(({ name, threads, loadSeconds }) => `${name} ${threads} ${loadSeconds}`)).toEqual([
    "b 1 1",
    "a 1 2",
    "a 4 1",
  ]);
  const sizes = { reward: scripted.size };
  const rates = rolesRates(
    found,
    { draft: { name: "x", fingerprint: "a" }, target: { name: "y", fingerprint: "none" } },
    sizes,
    1,
  );
  expect(Object.keys(rates.roles)).toEqual(["draft", "reward"]);
  expect(rates.roles.draft).toMatchObject({ cacheBytesPerToken: 64 });
  expect(rates.roles.draft!.flopsPerSecond).toBeCloseTo((2 * scripted.size.multiplied) / 0.002, 3);
  expect(rolesRates(found, { draft: { name: "x", fingerprint: "b" } }, {}, 4).roles).toEqual({});
});

test("a file that is no calibration is refused with what to do", async () => {
  const folder = join(root, "broken");
  await saveCalibration(folder, 1e10, []);
  const [name] = await readdir(folder);
  await writeFile(join(folder, name!), "{}");
  const error = await errorOf(loadCalibration(folder));
  expect(error).toMatchObject({ code: "bench-invalid", remedy: expect.stringContaining("calibrate again") });
});
