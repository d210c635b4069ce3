/** Case 81 for the bench: cut at any moment, the same command ends in the same results. */
import { spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openResults } from "../../src/bench/result-file.js";
import { runBench } from "../../src/bench/run-bench.js";
import { decodeRecords, encodeRecord } from "../../src/core/checked-lines.js";
import { keyedUniform } from "../../src/core/random.js";
import { benchPlan, benchSettings, errorOf, runBenchWorld } from "../../src/testing/bench-world.js";
import { type DiskFaults, faultyDisk } from "../../src/testing/faulty-disk.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-bench-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const newFolder = () => mkdtemp(join(root, "bench-"));
const fileIn = (folder: string) => join(folder, "results.jsonl");

/** The records without what a clock says. */
async function timeless(folder: string): Promise<unknown[]> {
  const { records } = decodeRecords(await readFile(fileIn(folder)), folder, "bench-invalid");
  return JSON.parse(JSON.stringify(records), (key, value) => (key === "seconds" ? 0 : value));
}

async function lineCount(folder: string): Promise<number> {
  return (await readFile(fileIn(folder), "latin1").catch(() => "")).split("\n").length - 1;
}

describe("a bench of 90 runs", () => {
  let whole: unknown[];
  beforeAll(async () => {
    const folder = await newFolder();
    const { isComplete } = await runBenchWorld(folder, { questions: 30 });
    expect(isComplete).toBe(true);
    whole = await timeless(folder);
    expect(whole).toHaveLength(90);
  });

  test("killed twice by SIGKILL ends in the same file", async () => {
    const folder = await newFolder();
    const program = new URL("./killed-child.mjs", import.meta.url).pathname;
    for (const lines of [7, 50]) {
      const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "ignore", "inherit"] });
      const exited = new Promise<string | null>((resolve) =>
        child.on("exit", (_, signal) => resolve(signal)),
      );
      while (child.exitCode === null && (await lineCount(folder)) < lines)
        await new Promise((wake) => setTimeout(wake, 2));
      child.kill("SIGKILL");
      expect(await exited).toBe("SIGKILL");
      const done = await lineCount(folder);
      expect(done).toBeGreaterThanOrEqual(lines);
      expect(done).toBeLessThan(90);
    }
    const { isComplete } = await runBenchWorld(folder, { questions: 30 });
    expect(isComplete).toBe(true);
    expect(await timeless(folder)).toEqual(whole);
  });

  test("cut at any byte loses the torn line alone, and says so", async () => {
    const folder = await newFolder();
    const source = await newFolder();
    await runBenchWorld(source, { questions: 30 });
    const bytes = await readFile(fileIn(source));
    for (let index = 0; index < 12; index++) {
      const cut = Math.floor(bytes.length * keyedUniform(2, "cut", index, "at"));
      await writeFile(fileIn(folder), bytes.subarray(0, cut));
      const isTorn = cut > 0 && bytes[cut - 1] !== 0x0a;
      const { notices } = await runBenchWorld(folder, { questions: 30 });
      expect(notices).toHaveLength(isTorn ? 1 : 0);
      expect(await timeless(folder)).toEqual(whole);
    }
  });

  test("stopped by its signal keeps what is finished", async () => {
    const folder = await newFolder();
    const controller = new AbortController();
    const delay = ({ index }: { index: number }) => {
      if (index === 40) controller.abort();
      return index === 40 ? 0.01 : 0;
    };
    const script = { delay };
    const stopped = await runBenchWorld(folder, { questions: 30, script, signal: controller.signal });
    expect(stopped.isComplete).toBe(false);
    expect(stopped.results.length).toBeGreaterThan(0);
    expect(stopped.results.some(({ finish }) => finish === "abort" || finish === "failed")).toBe(false);
    await runBenchWorld(folder, { questions: 30 });
    expect(await timeless(folder)).toEqual(whole);
  });

  test("several questions at a time give the same results in another order", async () => {
    const folder = await newFolder();
    await runBenchWorld(folder, { questions: 30, concurrency: 4 });
    const sorted = (records: unknown[]) => records.map((record) => JSON.stringify(record)).sort();
    expect(sorted(await timeless(folder))).toEqual(sorted(whole));
  });
});

describe("the results file", () => {
  test("with a damaged line before good ones is refused", async () => {
    const folder = await newFolder();
    await runBenchWorld(folder, { questions: 3 });
    const bytes = await readFile(fileIn(folder));
    bytes[bytes.indexOf(0x0a) + 60]! ^= 1;
    await writeFile(fileIn(folder), bytes);
    const error = await errorOf(runBenchWorld(folder, { questions: 3 }));
    expect(error.code).toBe("bench-invalid");
    expect(error.message).toContain("line 2");
  });

  test("passes over a repeated result and drops a good half of a line", async () => {
    const folder = await newFolder();
    await runBenchWorld(folder, { questions: 2 });
    const text = await readFile(fileIn(folder), "utf8");
    await appendFile(fileIn(folder), `${text.split("\n")[0]}\n`);
    const { notices, results } = await runBenchWorld(folder, { questions: 2 });
    expect(notices).toEqual([expect.stringContaining("which repeats a result")]);
    expect(results).toHaveLength(6);
    await truncate(fileIn(folder), text.length - 1);
    expect((await runBenchWorld(folder, { questions: 2 })).notices).toEqual([
      expect.stringContaining("dropped the torn end"),
    ]);
    expect(await lineCount(folder)).toBe(6);
  });

  test.each(["write", "sync"] as const)(
    "case 82: every %s in turn fails: the bench stops, and what is finished stays",
    async (kind) => {
      const plan = await benchPlan({ questions: 3 });
      const fill = async (faults: DiskFaults, concurrency = 1) => {
        const folder = await newFolder();
        const { disk, openFile } = faultyDisk(faults);
        const file = await openResults(fileIn(folder), { openFile });
        const running = runBench({ ...plan, concurrency }, benchSettings(), file);
        const error = await running.then(
          () => undefined,
          (thrown) => thrown,
        );
        await file[Symbol.asyncDispose]();
        expect(disk.closed).toBe(1);
        return { disk, error, folder };
      };
      const sound = (await fill({})).disk;
      expect(sound.writes).toBe(9);
      expect(sound.syncs).toBe(9);
      for (let index = 0; index < 9; index++) {
        for (const concurrency of [1, 3]) {
          const { disk, error, folder } = await fill({ [kind]: index, half: true }, concurrency);
          expect(error).toMatchObject({ code: "storage-failed", remedy: expect.any(String) });
          // What the disk has is good up to the torn line, and the same command goes on from there.
          await writeFile(fileIn(folder), disk.bytes);
          const { records } = decodeRecords(disk.bytes, folder, "bench-invalid");
          expect(records).toHaveLength(kind === "write" ? index : index + 1);
          const { isComplete, results } = await runBenchWorld(folder, { questions: 3 });
          expect(isComplete).toBe(true);
          expect(results).toHaveLength(9);
        }
      }
    },
  );

  test("that cannot be opened stops the bench before a question is asked", async () => {
    const folder = await newFolder();
    await mkdir(fileIn(folder));
    expect((await errorOf(runBenchWorld(folder))).code).toBe("storage-failed");
  });

  test("of another version is refused", async () => {
    const folder = await newFolder();
    await writeFile(fileIn(folder), encodeRecord({ question: "q0", verdict: "right" }));
    expect((await errorOf(runBenchWorld(folder))).code).toBe("bench-invalid");
  });
});
