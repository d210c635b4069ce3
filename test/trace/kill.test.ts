/** Case 81: a run cut at any moment resumes to the same answer; at most the unfinished step is done again. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyedUniform } from "../../src/core/random.js";
import { type RunResult, recordedRequest, startRun } from "../../src/core/run.js";
import { parseTrace } from "../../src/core/trace.js";
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

const timeless = ({ ledger: _, ...result }: RunResult) => result;

describe("a run of 1,000 steps", () => {
  test("cut at 200 random bytes ends in the same answer each time", async () => {
    const path = join(folder, "whole.jsonl");
    const roles = longRoles();
    const whole = await startRun({ ...longRequest(roles), sink: await openTraceSink(path) }).result;
    expect(whole.steps).toHaveLength(1000);
    const bytes = await readFile(path);
    const firstLine = bytes.indexOf(0x0a) + 1;
    const allCalls = roles.draft.stage.calls + roles.target.stage.calls + roles.reward.stage.calls;
    for (let index = 0; index < 200; index++) {
      // Late cuts leave little to do again, so that two hundred runs stay affordable; a fifth fall anywhere.
      const share = index % 5 === 0 ? 0 : 0.95;
      const at = share + (1 - share) * keyedUniform(1, "cut", index, "kill");
      const kept = Math.max(firstLine, Math.floor(bytes.length * at));
      const cut = join(folder, "cut.jsonl");
      await writeFile(cut, bytes.subarray(0, kept));
      const before = parseTrace(bytes.subarray(0, kept)).events;
      const { result, calls } = await resume(cut);
      expect(timeless(result)).toEqual(timeless(whole));
      for (const role of ["draft", "target"] as const) {
        expect(result.ledger[role]!.decodeTokens).toBe(whole.ledger[role]!.decodeTokens);
        expect(result.ledger[role]!.discardedTokens).toBe(whole.ledger[role]!.discardedTokens);
      }
      // What is done again: opening and reading for each role, and the call that was cut.
      const paid = before.filter((event) => "usage" in event).length;
      expect(calls).toBeLessThanOrEqual(allCalls - paid + 8);
      // The file now holds the whole run, and reads as one.
      const { events, notices } = await readTrace(cut);
      expect(notices).toEqual([]);
      expect(events.at(-1)).toMatchObject({ type: "run-finished", text: whole.text });
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
