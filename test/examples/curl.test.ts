import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { scriptedServer } from "../server/scripted-server.js";

const script = fileURLToPath(new URL("../../examples/curl/ask.sh", import.meta.url));

it.skipIf(!hasCurl())(
  "curl/ask.sh asks a server in four ways (skipped where curl is not installed)",
  async () => {
    await using server = await scriptedServer({ keys: ["key-for-curl"] });
    const environment = { ...process.env, STEPWRIGHT_API_KEY: "key-for-curl", no_proxy: "*" };
    const { stdout } = await promisify(execFile)(script, [server.url, "default"], { env: environment });
    expect(stdout).toContain('"object":"chat.completion"');
    expect(stdout).toContain("data: [DONE]");
    expect(stdout).toContain('"finish":"budget"');
    expect(stdout).toContain('"object":"rewards"');
  },
);

function hasCurl(): boolean {
  try {
    execFileSync("curl", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
