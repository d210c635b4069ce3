/** A stop signal to the server's own process: what was accepted ends well or is told why not, and nothing stays behind. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { echoAnswer, echoQuestion } from "../../src/testing/echo-world.js";
import { tinyChatTemplate, writeTinyModel } from "../../src/testing/tiny-model.js";
import { allFrames, chat, textsOf, until } from "./runs-world.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-shutdown-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let child: ChildProcess | undefined;
afterEach(() => child?.kill("SIGKILL"));

/** Starts a program that prints its address as JSON. */
async function started(words: readonly string[]): Promise<string> {
  child = spawn(process.execPath, words, {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, STEPWRIGHT_HOME: folder },
  });
  let line = "";
  for await (const text of child.stdout!.setEncoding("utf8")) {
    line += text;
    if (line.includes("\n")) break;
  }
  return (JSON.parse(line) as { url: string }).url;
}

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The echoing server in a process of its own; a call of its engine takes 20 ms. */
function startedEcho(limits: object): Promise<string> {
  const options = { delay: 0.02, folder: join(folder, "echo"), limits };
  return started([at("bench/serve/echo-server.js"), JSON.stringify(options)]);
}

function ask(url: string, body: object): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
  });
}

describe("a stop signal", () => {
  test("lets what is short finish, tells what is long, keeps it for later, and ends with 0", async () => {
    const url = await startedEcho({ drainSeconds: 1 });
    const [short, long] = await Promise.all([ask(url, chat("short", 4)), ask(url, chat("long", 90))]);
    const exited = once(child!, "exit");
    child!.kill("SIGTERM");
    await until(async () => (await ask(url, chat("late", 1))).status === 503);
    expect(textsOf(await allFrames(short))).toEqual([echoAnswer(echoQuestion("short", 4))]);
    const frames = await allFrames(long);
    expect(frames.at(-1)!.data).toBe("[DONE]");
    expect(JSON.parse(frames.at(-2)!.data).error).toMatchObject({ code: "shutting_down" });
    expect(await exited).toEqual([0, null]);

    // Its own end took the lock away, and left the long run to be taken up again.
    const runs = join(folder, "echo");
    expect(existsSync(join(runs, "server.lock"))).toBe(false);
    const id = long.headers.get("x-request-id")!;
    expect(await readdir(runs)).toContain(id);
    expect(JSON.parse(await readFile(join(runs, id, "run.json"), "utf8"))).toMatchObject({
      status: "interrupted",
    });

    const again = await startedEcho({});
    await fetch(`${again}/v1/runs/${id}/resume`, { method: "POST" });
    const read = async () => (await (await fetch(`${again}/v1/runs/${id}`)).json()) as { status: string };
    await until(async () => (await read()).status === "finished", 30);
    expect(await read()).toMatchObject({ answer: "long" });
  }, 60_000);

  test("killed outright, a run is interrupted at the next start and goes on where it was (81)", async () => {
    const url = await startedEcho({});
    const answered = await fetch(`${url}/v1/runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(chat("killed", 60)),
    });
    const { id } = (await answered.json()) as { id: string };
    const trace = join(folder, "echo", id, "trace.jsonl");
    const lines = async () => (existsSync(trace) ? (await readFile(trace, "utf8")).split("\n").length : 0);
    await until(async () => (await lines()) > 40);
    const exited = once(child!, "exit");
    child!.kill("SIGKILL");
    await exited;

    const again = await startedEcho({});
    const run = async () => (await fetch(`${again}/v1/runs/${id}`)).json();
    expect(await run()).toMatchObject({ status: "interrupted" });
    expect((await fetch(`${again}/v1/runs/${id}/resume`, { method: "POST" })).status).toBe(202);
    const events = await (await fetch(`${again}/v1/runs/${id}/events`)).text();
    expect(events).toContain('"type":"run-resumed"');
    expect(await run()).toMatchObject({ status: "finished", answer: "killed" });
  }, 60_000);

  test("ends `stepwright serve` with its engine; a second one ends it at once, whatever still runs", async () => {
    const model = join(folder, "tiny.gguf");
    await writeTinyModel(model, { seed: 3, chatTemplate: tinyChatTemplate });
    const flags = ["serve", "--json", "--port", "0", "--target", model, "--method", "target", "--no-store"];
    await started([at("bin/stepwright.js"), ...flags]);
    const engine = await childOf(child!.pid!);
    child!.kill("SIGTERM");
    expect(await once(child!, "exit")).toEqual([0, null]);
    await until(() => !isAlive(engine));

    const url = await started([at("bin/stepwright.js"), ...flags]);
    const held = await childOf(child!.pid!);
    const body = { messages: [{ role: "user", content: "What is 6 times 7?" }], model: "default" };
    await (await ask(url, body)).text();
    // An engine that does nothing: its runs would have half a minute.
    process.kill(held, "SIGSTOP");
    const unanswered = ask(url, body);
    unanswered.catch(() => {});
    await until(async () => (await (await fetch(`${url}/metrics`)).text()).includes("runs_running 1"));
    const exited = once(child!, "exit");
    child!.kill("SIGTERM");
    await until(async () => (await ask(url, body)).status === 503);
    child!.kill("SIGTERM");
    expect(await exited).toEqual([143, null]);
    process.kill(held, "SIGCONT");
    await until(() => !isAlive(held));
  }, 60_000);
});

/** The only child of a process. */
async function childOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)("pgrep", ["-P", String(pid)]);
  return Number(stdout.trim());
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
