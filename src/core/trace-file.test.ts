import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import rsd from "../methods/rsd.js";
import { faultyDisk } from "../testing/faulty-disk.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { StepwrightError } from "./errors.js";
import { type OpenGrowingFile, openGrowingFile } from "./growing-file.js";
import { type RunResult, startRun } from "./run.js";
import { parseTrace } from "./trace.js";
import { openTraceSink, readTrace, type StoragePolicy } from "./trace-file.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-trace-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function runOn(
  openFile: OpenGrowingFile,
  onFailure: StoragePolicy,
  notices: string[] = [],
): Promise<RunResult> {
  const world = toyWorld(rsd);
  const sink = await openTraceSink("/nowhere/trace.jsonl", {
    openFile,
    onFailure,
    onNotice: (notice) => notices.push(notice),
  });
  const run = startRun({
    ...{ method: rsd, question: toyQuestion, roles: world.roles, id: "toy" },
    ...{ seed: 4, sampling: { temperature: 1 }, sink },
  });
  try {
    return await run.result;
  } finally {
    expect(world.live()).toBe(0);
  }
}

describe("case 82", () => {
  const faults = ["write", "sync"] as const;

  test.each(faults)("every %s in turn fails: the run stops, what is on disk stays readable", async (kind) => {
    const sound = faultyDisk({});
    await runOn(sound.openFile, "stop");
    const whole = parseTrace(sound.disk.bytes).events;
    const calls = kind === "write" ? sound.disk.writes : sound.disk.syncs;
    expect(calls).toBeGreaterThan(5);
    for (let index = 0; index < calls; index++) {
      for (const half of [false, true]) {
        const { disk, openFile } = faultyDisk({ [kind]: index, half });
        const error = await runOn(openFile, "stop").catch((thrown) => thrown);
        expect(StepwrightError.is(error, "storage-failed")).toBe(true);
        expect(error.remedy).toBeTruthy();
        expect(disk.closed).toBe(1);
        if (disk.bytes.indexOf(0x0a) < 0) continue;
        const { events } = parseTrace(disk.bytes);
        expect(timeless(events)).toEqual(timeless(whole.slice(0, events.length)));
      }
    }
  });

  test.each(faults)("every %s in turn fails: by policy the run goes on in memory", async (kind) => {
    const sound = faultyDisk({});
    const expected = await runOn(sound.openFile, "stop");
    const calls = kind === "write" ? sound.disk.writes : sound.disk.syncs;
    for (let index = 0; index < calls; index++) {
      const { openFile } = faultyDisk({ [kind]: index, half: true });
      const notices: string[] = [];
      const result = await runOn(openFile, "memory", notices);
      expect(result.steps).toEqual(expected.steps);
      expect(notices).toHaveLength(1);
    }
  });

  test("a place that cannot be written is refused, or noticed, when it is opened", async () => {
    const closed: OpenGrowingFile = async () => {
      throw Object.assign(new Error("read-only file system"), { code: "EROFS" });
    };
    await expect(runOn(closed, "stop")).rejects.toMatchObject({ code: "storage-failed" });
    const notices: string[] = [];
    expect((await runOn(closed, "memory", notices)).finish).toBe("stop");
    expect(notices[0]).toContain("read-only");
  });

  test("a real folder without permission is refused", async () => {
    const locked = join(folder, "locked");
    await writeFile(locked, "a file, not a folder");
    await expect(openTraceSink(join(locked, "trace.jsonl"))).rejects.toMatchObject({
      code: "storage-failed",
    });
  });

  test("after a failure the run resumes from what the disk has", async () => {
    const sound = faultyDisk({});
    const expected = await runOn(sound.openFile, "stop");
    const path = join(folder, "resumed.jsonl");
    for (let index = 1; index < sound.disk.writes; index++) {
      const { disk, openFile } = faultyDisk({ write: index, half: true });
      await runOn(openFile, "stop").catch(() => {});
      await writeFile(path, disk.bytes);
      const contents = await readTrace(path);
      const sink = await openTraceSink(path, { contents });
      const run = startRun({
        ...{ method: rsd, question: toyQuestion, roles: toyWorld(rsd).roles },
        ...{ seed: 4, sampling: { temperature: 1 }, sink, recording: contents.events },
      });
      expect((await run.result).steps).toEqual(expected.steps);
      expect((await readTrace(path)).notices).toEqual([]);
    }
  });
});

test("an existing trace is never written over", async () => {
  const path = join(folder, "kept.jsonl");
  await writeFile(path, "precious");
  await expect(openTraceSink(path)).rejects.toMatchObject({ code: "storage-failed" });
  expect(await readFile(path, "utf8")).toBe("precious");
});

test("the torn end is cut off before the run goes on", async () => {
  const path = join(folder, "torn.jsonl");
  await writeFile(path, "0123456789torn");
  const file = await openGrowingFile(path, 10);
  await file.append(Buffer.from("ab"));
  await file.append(Buffer.from("cd"));
  await file.sync();
  await file.close();
  expect(await readFile(path, "utf8")).toBe("0123456789abcd");
});

test("what cannot be read is said to be so", async () => {
  await expect(readTrace(join(folder, "missing.jsonl"))).rejects.toMatchObject({ code: "storage-failed" });
  await expect(readTrace(folder)).rejects.toMatchObject({ code: "storage-failed" });
  await chmod(folder, 0o700);
});

function timeless(events: readonly unknown[]): unknown {
  return JSON.parse(
    JSON.stringify(events, (key, value) => (["seconds", "elapsed", "run"].includes(key) ? 0 : value)),
  );
}
