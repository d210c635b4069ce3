/** Real clients from their registries, unchanged, against `stepwright serve` in a process of its own (L11 in part). */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = new URL("../../", import.meta.url).pathname;
const run = promisify(execFile);
let server: ChildProcess;
let url = "";

beforeAll(async () => {
  const roles = ["draft", "target", "reward"].flatMap((role) => [`--${role}`, `demo:${role}`]);
  server = spawn(
    process.execPath,
    ["bin/stepwright.js", "serve", ...roles, "--port", "0", "--json", "--no-store"],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  for await (const line of createInterface({ input: server.stdout! })) {
    url = `${(JSON.parse(line) as { url: string }).url}/v1`;
    break;
  }
}, 30_000);

afterAll(async () => {
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await gone;
});

async function example(command: string, file: string): Promise<string[]> {
  const environment = { ...process.env, STEPWRIGHT_URL: url };
  const { stdout } = await run(command, [join(root, "examples/clients", file)], {
    cwd: root,
    env: environment,
  });
  return stdout.trim().split("\n");
}

/** What every client gets: the same seed gives the same answer, streamed or whole. */
function expectAnswers(lines: readonly string[]): void {
  const text = lines.join("\n");
  const whole =
    /whole: ([\s\S]*?)\n\d+ tokens,/.exec(text)?.[1] ?? /whole: ([\s\S]*?)\nrsd ended by/.exec(text)?.[1];
  const streamed = /streamed: ([\s\S]*?)\n[1-9]\d* tokens in all/.exec(text)?.[1];
  expect(whole).toContain("\\boxed{");
  expect(streamed).toContain("\\boxed{");
}

describe("clients", () => {
  test("OpenAI's Node SDK", async () => {
    const lines = await example(process.execPath, "openai.mjs");
    expectAnswers(lines);
    expect(lines[0]).toContain("rsd/default");
    expect(lines.join()).toMatch(/drafts kept [1-9]/);
    expect(lines.at(-1)).toBe("refused: 404 model_not_found");
  }, 30_000);

  test("L11: a client's second try with the same idempotency key joins the first search", async () => {
    const client = new OpenAI({ baseURL: url, apiKey: "none" });
    const ask = (key: string) =>
      client.chat.completions.create(
        { model: "default", messages: [{ role: "user", content: "2 + 2?" }] },
        { headers: { "idempotency-key": key } },
      );
    const [one, again, other] = await Promise.all([ask("a"), ask("a"), ask("b")]);
    expect(again.id).toBe(one.id);
    expect(again.choices[0]!.message.content).toBe(one.choices[0]!.message.content);
    expect(other.id).not.toBe(one.id);
  });

  test("the AI SDK through its OpenAI-compatible provider", async () => {
    const lines = await example(process.execPath, "ai-sdk-compatible.mjs");
    expectAnswers(lines);
    expect(lines.join()).toMatch(/drafts kept [1-9]/);
    expect(lines.at(-1)).toContain("ended by stop");
  }, 30_000);

  test("the AI SDK through stepwright/ai", async () => {
    const lines = await example(process.execPath, "ai-sdk.mjs");
    expectAnswers(lines);
    expect(lines.join()).toMatch(/rsd ended by stop; the target wrote [1-9]/);
    expect(lines.at(-1)).toMatch(/^refused: 404/);
  }, 30_000);

  test("OpenAI's Python SDK", async (context) => {
    const python = await pythonWithOpenai();
    if (!python) return context.skip("no python3 with the openai package, and none could be installed");
    const lines = await example(python, "openai_client.py");
    expectAnswers(lines);
    expect(lines.at(-1)).toBe("refused: 404 model_not_found");
  }, 180_000);

  test("curl", async () => {
    const body = JSON.stringify({
      model: "default",
      messages: [{ role: "user", content: "2 + 2?" }],
      stream: true,
    });
    const options = ["-sN", `${url}/chat/completions`, "-H", "content-type: application/json", "-d", body];
    const { stdout } = await run("curl", options);
    const events = stdout.split("\n\n").filter((event) => event.startsWith("data: "));
    expect(events.at(-1)).toBe("data: [DONE]");
    const pieces = events
      .slice(0, -1)
      .map((event) => JSON.parse(event.slice(6)).choices[0]?.delta.content ?? "");
    expect(pieces.join("")).toContain("\\boxed{");
  });

  test("79: an address in a request is no upstream", async () => {
    let asked = 0;
    const elsewhere = createServer((_, response) => {
      asked++;
      response.end("{}");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1`;
    const headers = { "content-type": "application/json", "x-base-url": address };
    const ask = (more: object) =>
      fetch(`${url}/chat/completions`, {
        method: "POST",
        headers,
        body: JSON.stringify({
          model: "default",
          messages: [{ role: "user", content: "2 + 2?" }],
          ...more,
        }),
      });
    try {
      const passedOver = await ask({ base_url: address });
      expect(passedOver.status).toBe(200);
      expect(passedOver.headers.get("x-stepwright-ignored")).toContain("base_url");
      const refused = await ask({ stepwright: { target: `${address}#m` } });
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ error: { code: "unknown_parameter" } });
      const noModel = await ask({ model: `${address}#m` });
      expect(noModel.status).toBe(404);
      expect(asked).toBe(0);
    } finally {
      elsewhere.close();
    }
  });
});

/** A virtual environment that is kept between runs; undefined where it cannot be made. */
async function pythonWithOpenai(): Promise<string | undefined> {
  const folder = join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
    "stepwright-tests/openai-python",
  );
  const python = join(folder, "bin/python");
  const has = () =>
    run(python, ["-c", "import openai"]).then(
      () => true,
      () => false,
    );
  if (existsSync(python) && (await has())) return python;
  try {
    await run("python3", ["-m", "venv", folder]);
    await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "openai"], {
      timeout: 150_000,
    });
  } catch {
    return undefined;
  }
  return (await has()) ? python : undefined;
}
