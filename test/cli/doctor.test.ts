import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { run } from "./captured-host.js";

const binary = fileURLToPath(new URL("../../bin/stepwright.js", import.meta.url));

describe("doctor", () => {
  it("finds this machine well, and proves it with one token", async () => {
    const { code, out } = await run(["doctor", "--json"]);
    const { ok, checks } = JSON.parse(out);
    expect(checks.filter((finding: { ok: boolean }) => !finding.ok)).toEqual([]);
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    const named = Object.fromEntries(checks.map((finding: { check: string }) => [finding.check, finding]));
    expect(named.binaries.facts.verifiedFields).toBeGreaterThan(20);
    expect(named.engine.facts.seconds).toBeGreaterThan(0);
    const text = await run(["doctor"]);
    expect(text.out.match(/^ok {3}/gm)).toHaveLength(checks.length);
  });

  it("goes on after a check that fails, and exits with 1", async () => {
    const { code, out } = await new Promise<{ code: unknown; out: string }>((resolve) =>
      execFile(
        process.execPath,
        [binary, "doctor", "--json"],
        { env: { ...process.env, STEPWRIGHT_BINARIES: "/nowhere", STEPWRIGHT_HOME: "/dev/null/state" } },
        (error, out) => resolve({ code: error?.code, out }),
      ),
    );
    expect(code).toBe(1);
    const { ok, checks } = JSON.parse(out);
    expect(ok).toBe(false);
    const failed = checks.filter((finding: { ok: boolean }) => !finding.ok);
    expect(failed.map((finding: { check: string }) => finding.check)).toEqual([
      "binaries",
      "devices",
      "storage",
      "engine",
    ]);
    for (const finding of failed) expect(finding.remedy).toMatch(/\w/);
  });
});
