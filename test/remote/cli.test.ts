/** A local draft with a target behind a server, as people run it: solve, an outage and resume, bench, serve, info. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { openDemoModel } from "../../src/cli/demo/models.js";
import { question } from "../../src/cli/demo/story.js";
import { ScriptedModel } from "../../src/models/scripted.js";
import { run } from "../cli/captured-host.js";
import type { FaultServer } from "./fault-server.js";
import { scriptedEngine } from "./scripted-engine.js";

function demoTarget(): Promise<FaultServer> {
  const model = openDemoModel("demo:target", 0);
  if (!(model instanceof ScriptedModel)) throw new Error("the demo's models are scripted");
  return scriptedEngine(model, { kind: "llama-server" });
}

const reference = ({ origin }: FaultServer) => `${origin}/v1?layers=2#demo:target`;
const roles = (target: string) => ["--draft", "demo:draft", "--target", target, "--reward", "demo:reward"];

describe("a target behind a server", () => {
  test("solve decides as with the same model here, and counts both", async () => {
    await using server = await demoTarget();
    const solve = (target: string) => run(["solve", question, ...roles(target), "--method", "rsd", "--json"]);
    const [here, there] = [await solve("demo:target"), await solve(reference(server))];
    expect(there.code).toBe(0);
    const [mine, theirs] = [here, there].map(({ out }) => JSON.parse(out));
    expect(theirs.steps).toEqual(mine.steps);
    expect(theirs.ledger.target.decodeTokens).toBe(mine.ledger.target.decodeTokens);
    expect(theirs.ledger.target.flops).toBeGreaterThan(0);
  });

  test("an outage fails the run with what to do, and the trace is taken up when the server is back", async () => {
    await using server = await demoTarget();
    const works = server.answer;
    let writes = 0;
    server.answer = (heard, response, number) => {
      if (heard.path === "/completion" && ++writes > 1) return void response.destroy();
      return works(heard, response, number);
    };
    const folder = mkdtempSync(join(tmpdir(), "stepwright-remote-"));
    const trace = join(folder, "run.jsonl");
    const command = ["solve", question, ...roles(reference(server)), "--method", "target", "--trace", trace];
    const broken = await run(command);
    expect(broken.code).toBe(1);
    expect(broken.talk).toContain("broke the connection off");
    expect(readdirSync(folder)).toContain("run.jsonl");
    server.answer = works;
    const resumed = await run(["solve", "--resume", trace, "--json"]);
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.out).finish).toBe("stop");
  }, 20_000);

  test("bench", async () => {
    await using server = await demoTarget();
    const folder = mkdtempSync(join(tmpdir(), "stepwright-remote-"));
    const task = join(folder, "task.jsonl");
    writeFileSync(task, `${JSON.stringify({ id: "1", question, answer: "1" })}\n`);
    const options = [
      ...roles(reference(server)),
      "--method",
      "draft,target,rsd",
      "--out",
      join(folder, "out"),
      "--json",
    ];
    const { code, out } = await run(["bench", "--task", task, ...options]);
    expect(code).toBe(0);
    const { rows } = JSON.parse(out);
    expect(rows.map(({ method }: { method: string }) => method)).toEqual(["draft", "target", "rsd"]);
    for (const { flops } of rows) expect(flops).toBeGreaterThan(0);
  });

  test("serve", async () => {
    await using engine = await demoTarget();
    const options = [...roles(reference(engine)), "--port", "0", "--json", "--no-store"];
    const server = spawn(process.execPath, ["bin/stepwright.js", "serve", ...options], {
      cwd: new URL("../../", import.meta.url).pathname,
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      for await (const line of createInterface({ input: server.stdout })) {
        const { url } = JSON.parse(line) as { url: string };
        const body = JSON.stringify({
          model: "rsd/default",
          messages: [{ role: "user", content: question }],
        });
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body });
        expect(answer.status).toBe(200);
        expect(JSON.stringify(await answer.json())).toContain("boxed");
        break;
      }
      expect(engine.heard.some(({ path }) => path === "/completion")).toBe(true);
    } finally {
      server.kill("SIGTERM");
      await new Promise((resolve) => server.once("exit", resolve));
    }
  }, 30_000);

  test("models info says what the server is and can", async () => {
    await using server = await demoTarget();
    const { code, out } = await run(["models", "info", reference(server), "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      server: "llama-server",
      capabilities: ["branch", "text", "logprobs", "candidates"],
      size: { layers: 2 },
    });
  });
});
