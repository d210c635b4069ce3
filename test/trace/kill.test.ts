/** Case 81: a run cut at any moment resumes to the same answer; at most the unfinished step is done again. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenGrowingFile, openGrowingFile } from "../../src/core/growing-file.js";
import { keyedUniform } from "../../src/core/random.js";
import { type RunResult, recordedRequest, replay, startRun } from "../../src/core/run.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import { openTraceSink, readTrace } from "../../src/core/trace-file.js";
import rsd from "../../src/methods/rsd.js";
import { longRequest, longRoles } from "../../src/testing/long-run.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-kill-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Takes up the run in this file; returns its result and how many model and reward calls it still took. */
async function resume(path: string): Promise<{ result: RunResult; calls: number }> {
  const contents = await readTrace(path);
  const sink = await openTraceSink(path, { contents });
  const roles = longRoles();
  const { id: _, ...recorded } = recordedRequest(contents.events);
  const run = startRun({ ...recorded, method: rsd, roles, sink, recording: contents.events });
  const result = await run.result;
  return { result, calls: roles.draft.stage.calls + roles.target.stage.calls + roles.reward.stage.calls };
}

function callsIn(events: readonly TraceEvent[]): number {
  return events.filter((event) => "usage" in event).length;
}

const timeless = ({ ledger: _, ...result }: RunResult) => result;

/** The real file, whose process dies after so many more bytes: nothing reaches the disk from then on. */
function dyingAfter(bytes: number, die: () => void): OpenGrowingFile {
  return async (path, kept) => {
    const file = await openGrowingFile(path, kept);
    let left = bytes;
    return {
      async append(chunk) {
        if (left > 0) await file.append(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) die();
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  };
}

/** Starts the long run in this file, or takes it up, and dies after so many more bytes. */
async function runUntilKilled(path: string, bytes: number): Promise<boolean> {
  const controller = new AbortController();
  const contents = existsSync(path) ? await readTrace(path) : undefined;
  const openFile = dyingAfter(bytes, () => controller.abort());
  const sink = await openTraceSink(path, { openFile, ...(contents && { contents }) });
  const request = { ...longRequest(longRoles()), sink, signal: controller.signal };
  await startRun({ ...request, ...(contents && { recording: contents.events }) }).result;
  return controller.signal.aborted;
}

describe("a run of 1,000 steps", () => {
  test("killed 200 times at random moments ends in the same answer", async () => {
    const path = join(folder, "mortal.jsonl");
    const whole = await startRun(longRequest(longRoles())).result;
    expect(whole.steps).toHaveLength(1000);
    // Enough for the first record; from then on anything, the middle of a line included.
    expect(await runUntilKilled(path, 3000)).toBe(true);
    for (let kill = 1; kill < 200; kill++) {
      const bytes = 1 + Math.floor(90_000 * keyedUniform(1, "kill", kill, "bytes"));
      expect(await runUntilKilled(path, bytes)).toBe(true);
    }
    const { result } = await resume(path);
    expect(timeless(result)).toEqual(timeless(whole));
    for (const role of ["draft", "target"] as const) {
      expect(result.ledger[role]!.decodeTokens).toBe(whole.ledger[role]!.decodeTokens);
      expect(result.ledger[role]!.discardedTokens).toBe(whole.ledger[role]!.discardedTokens);
    }
    const { events, notices } = await readTrace(path);
    expect(notices).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: "run-finished", text: whole.text });
    expect(events.filter((event) => event.type === "run-resumed").length).toBeGreaterThan(150);
    expect(await replay(events, rsd)).toEqual(result);
  }, 180_000);

  test("cut at random bytes and resumed, does only the unfinished call again", async () => {
    const path = join(folder, "whole.jsonl");
    const roles = longRoles();
    const whole = await startRun({ ...longRequest(roles), sink: await openTraceSink(path) }).result;
    const bytes = await readFile(path);
    const cut = join(folder, "cut.jsonl");
    for (let index = 0; index < 10; index++) {
      const kept = Math.max(
        bytes.indexOf(0x0a) + 1,
        Math.floor(bytes.length * keyedUniform(1, "cut", index, "at")),
      );
      await writeFile(cut, bytes.subarray(0, kept));
      const paid = callsIn((await readTrace(cut)).events);
      const { result, calls } = await resume(cut);
      expect(timeless(result)).toEqual(timeless(whole));
      // Not paid in the first part, and not paid twice: the caches are rebuilt by one opening and one reading a model.
      const { events } = await readTrace(path);
      expect(calls).toBeLessThanOrEqual(callsIn(events) - paid + 6);
    }
  });

  test("killed by SIGKILL, again and again, ends in the same answer", async () => {
    const expected = await startRun(longRequest(longRoles())).result;
    const path = join(folder, "killed.jsonl");
    const program = new URL("./killed-child.mjs", import.meta.url).pathname;
    for (const lines of [50, 900, 2500]) {
      const child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
      const exited = new Promise<string | null>((resolve) =>
        child.on("exit", (_, signal) => resolve(signal)),
      );
      // The child runs slowly enough to be caught at work.
      while (child.exitCode === null && (await lineCount(path)) < lines)
        await new Promise((wake) => setTimeout(wake, 5));
      child.kill("SIGKILL");
      expect(await exited).toBe("SIGKILL");
      expect((await lineCount(path)) >= lines).toBe(true);
    }
    const { result } = await resume(path);
    expect(timeless({ ...result, run: expected.run })).toEqual(timeless(expected));
    const { events } = await readTrace(path);
    expect(events.filter((event) => event.type === "run-resumed")).toHaveLength(3);
  });
});

async function lineCount(path: string): Promise<number> {
  try {
    return (await readFile(path, "latin1")).split("\n").length - 1;
  } catch {
    return 0;
  }
}
