/** Case 87 of reliability: Ctrl-C once, twice, and a reader who leaves. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { capture, run } from "./captured-host.js";

const binary = fileURLToPath(new URL("../../bin/stepwright.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly talk: string;
}

function start(argv: string[], home = mkdtempSync(join(tmpdir(), "stepwright-home-"))) {
  const child = spawn(process.execPath, [binary, ...argv], {
    env: { ...process.env, STEPWRIGHT_HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { out: "", talk: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (texts.out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (texts.talk += text));
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, ...texts })),
  );
  return { child, ended, home };
}

function firstOutput(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.stdout!.once("data", () => resolve()));
}

describe("the binary", () => {
  it("keeps the trace at the first Ctrl-C, says how to go on, and comes to the same end", async () => {
    const { child, ended, home } = start(["demo", "--pace", "0.02"]);
    await firstOutput(child);
    child.kill("SIGINT");
    const { code, out, talk } = await ended;
    expect(code).toBe(130);
    expect(out).toContain("stopped before its end");
    const [file] = readdirSync(join(home, "runs"));
    const path = join(home, "runs", file!);
    expect(talk).toContain(`Go on with: stepwright solve --resume ${path}`);

    const whole = await start(["demo", "--json", "--pace", "0"]).ended;
    const resumed = await start(["solve", "--resume", path, "--json"], home).ended;
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.out).steps).toEqual(JSON.parse(whole.out).steps);
  });

  it("keeps the trace when it is asked to terminate", async () => {
    const { child, ended } = start(["demo", "--pace", "0.02"]);
    await firstOutput(child);
    child.kill("SIGTERM");
    const { code, talk } = await ended;
    expect(code).toBe(143);
    expect(talk).toContain("stepwright solve --resume");
  });

  it("ends quietly when nobody reads on", async () => {
    const { child, ended, home } = start(["demo", "--events", "--pace", "0.01"]);
    await firstOutput(child);
    child.stdout.destroy();
    const { code, signal, talk } = await ended;
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(talk).not.toMatch(/error|EPIPE|at .*\.js/);
    expect(readdirSync(join(home, "runs"))).toHaveLength(1);
  });

  it("ends quietly when nobody ever reads", async () => {
    const { child, ended } = start(["solve", "--help"]);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, talk: "" });
  });
});

describe("main", () => {
  it("ends the process at once at the second Ctrl-C", async () => {
    const captured = capture();
    const running = main(["demo", "--pace", "0.01"], captured.host);
    await new Promise<void>((resolve) => captured.onWrite(() => resolve()));
    captured.stop();
    expect(captured.exits).toEqual([]);
    captured.stop();
    expect(captured.exits).toEqual([130]);
    expect(await running).toBe(130);
  });

  it("prints the contract's object of what there is when it is stopped", async () => {
    const captured = capture();
    const running = main(["demo", "--pace", "0.01", "--json"], captured.host);
    setTimeout(() => captured.stop(), 100);
    expect(await running).toBe(130);
    expect(JSON.parse(captured.out())).toMatchObject({ finish: "abort", method: "rsd" });
    expect(captured.talk()).toContain("stepwright solve --resume");
  });

  it("fails when its output cannot be written", async () => {
    const captured = capture();
    const running = main(["demo", "--pace", "0.01"], captured.host);
    await new Promise<void>((resolve) => captured.onWrite(() => resolve()));
    captured.closeOutput(new Error("no space left on device"));
    expect(await running).toBe(1);
    expect(captured.talk()).toContain("standard output cannot be written: no space left on device");
  });

  it("leaves nothing behind when it is stopped before it has begun", async () => {
    const captured = capture();
    const running = main(["demo"], captured.host);
    captured.stop();
    expect(await running).toBe(130);
    const folder = join(captured.host.workingFolder, "state", "runs");
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
  });

  it("is not concerned by a reader who leaves after the end", async () => {
    const { code, captured } = await run(["version"]);
    captured.closeOutput();
    captured.stop();
    expect(code).toBe(0);
    expect(captured.exits).toEqual([]);
  });
});
