import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const folder = new URL("../../examples/", import.meta.url);

describe("examples", () => {
  it.each(readdirSync(folder).filter((file) => file.endsWith(".js")))(
    "%s runs and prints something",
    async (file) => {
      const { stdout } = await promisify(execFile)(process.execPath, [new URL(file, folder).pathname]);
      expect(stdout.trim()).not.toBe("");
    },
  );

  it("own-reward.js has the target rewrite the one wrong step", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      new URL("own-reward.js", folder).pathname,
    ]);
    expect(stdout).toContain("1 of 3 steps are the target's");
    expect(stdout).toContain("24 - 5 = 18");
    expect(stdout).toContain("24 - 5 = 19");
  });
});
