/** The engine's troubles over HTTP: whatever ends its process ends the requests in it, and not the server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Branch, Model } from "../../src/core/model.js";
import { Engine, type LlamaModel, openLlama } from "../../src/models/llama/index.js";
import { type RunningServer, serveModels, startServer } from "../../src/server/index.js";
import { tinyChatTemplate, writeTinyModel } from "../../src/testing/tiny-model.js";
import { allFrames, until } from "./runs-world.js";

let folder: string;
let engine: Engine;
let server: RunningServer;
const notices: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-death-"));
  const path = join(folder, "tiny.gguf");
  await writeTinyModel(path, { seed: 3, chatTemplate: tinyChatTemplate });
  engine = new Engine({ idleSeconds: 2 });
  const target = await openLlama(path, { engine });
  const models = await serveModels({
    pairs: [
      { name: "tiny", roles: ["target"], references: {}, open: async () => ({ target: overheard(target) }) },
    ],
    defaults: new Map([["tiny", "target/tiny"]]),
    close: () => target[Symbol.asyncDispose](),
  });
  await models.opened;
  server = await startServer({
    models,
    port: 0,
    folder: join(folder, "runs"),
    limits: { concurrency: 64 },
    onNotice: (notice) => notices.push(notice),
  });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Called at every piece of text, before anything else knows of it. */
let onText = () => {};

/** The same model; what it writes is heard where it comes out of the engine. */
function overheard(model: LlamaModel): Model {
  const heard = (branch: Branch): Branch => ({
    model,
    get length() {
      return branch.length;
    },
    fork: () => heard(branch.fork()),
    append: (passage, options) => branch.append(passage, options),
    extend: (options) =>
      branch.extend({
        ...options,
        onText: (text) => {
          onText();
          options.onText?.(text);
        },
      }),
    trim: (length) => branch.trim(length),
    drop: () => branch.drop(),
    [Symbol.asyncDispose]: () => branch[Symbol.asyncDispose](),
  });
  return new Proxy(model, {
    get: (_, name) => {
      if (name === "open")
        return async (...prompt: Parameters<Model["open"]>) => heard(await model.open(...prompt));
      const value: unknown = Reflect.get(model, name, model);
      return typeof value === "function" ? value.bind(model) : value;
    },
  });
}

function ask(stream: boolean, n: number, { url = server.url, maxTokens = 300 } = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "tiny",
      messages: [{ role: "user", content: "What is 6 times 7?" }],
      ...{ stream, n, seed: n },
      temperature: 1.5,
      max_tokens: maxTokens,
    }),
  });
}

test("58: more answers than the cache holds all come to an end", async () => {
  const model = await openLlama(join(folder, "tiny.gguf"), { engine, context: 256, sequences: 4 });
  const models = await serveModels({
    pairs: [{ name: "tiny", roles: ["target"], references: {}, open: async () => ({ target: model }) }],
    defaults: new Map([["tiny", "target/tiny"]]),
    close: () => model[Symbol.asyncDispose](),
  });
  await models.opened;
  await using small = await startServer({ models, port: 0, folder: null });
  const answered = await ask(false, 8, { url: small.url, maxTokens: 60 });
  const { choices } = (await answered.json()) as { choices: { finish_reason: string }[] };
  expect(choices.map((choice) => choice.finish_reason)).toEqual(
    Array.from({ length: 8 }, () => expect.stringMatching(/^(stop|length)$/)),
  );
  const text = await (await fetch(`${small.url}/metrics`)).text();
  expect(text).toContain('stepwright_branches{pair="tiny",role="target"} 0');
  const recomputed = /stepwright_tokens_total\{role="target",kind="recomputed"\} (\d+)/.exec(text);
  expect(Number(recomputed?.[1])).toBeGreaterThan(0);
});

test.each(["SIGKILL", "SIGSEGV", "SIGSTOP"] as const)(
  "61: %s",
  async (signal) => {
    const asked = [ask(true, 16), ask(false, 17)] as const;
    onText = () => {
      // All of them at work, and far from their end.
      if (server.service.load.running < 33) return;
      onText = () => {};
      process.kill(engine.processId!, signal);
    };
    const [streamed, whole] = [await asked[0], asked[1]];
    const id = streamed.headers.get("x-request-id")!;
    const frames = await allFrames(streamed);
    expect(frames.at(-1)!.data).toBe("[DONE]");
    expect(JSON.parse(frames.at(-2)!.data).error).toMatchObject({ code: "engine_failed", request_id: id });
    const failed = await whole;
    expect(failed.status).toBe(503);
    expect(Number(failed.headers.get("retry-after"))).toBeGreaterThan(0);
    const { error } = (await failed.json()) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: "engine_failed", request_id: failed.headers.get("x-request-id") });

    // Held until the engine is back, then answered; nothing is left of those that failed.
    const next = await ask(false, 1);
    expect(next.status).toBe(200);
    expect(server.service.state).toBe("ready");
    expect(notices.join("\n")).toContain(signal === "SIGSTOP" ? "had not answered" : signal);
    const ended = await fetch(`${server.url}/v1/runs/${id}`);
    expect(await ended.json()).toMatchObject({ status: "failed", error: { code: "engine-failed" } });
    await until(async () => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return text.includes('stepwright_branches{pair="tiny",role="target"} 0');
    });

    // The failed run is taken up where it was, at the engine that took its place.
    const resumed = await fetch(`${server.url}/v1/runs/${id}/resume`, { method: "POST" });
    expect(resumed.status).toBe(202);
    await until(async () =>
      (await (await fetch(`${server.url}/v1/runs/${id}`)).text()).includes('"finished"'),
    );
  },
  60_000,
);
