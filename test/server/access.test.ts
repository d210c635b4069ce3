/** Reliability cases B: who may ask. Case 17, the studio's pages, is in test/studio. */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../src/server/index.js";
import { answersOf, raw } from "./raw-socket.js";
import { type ScriptedServer, scriptedServer } from "./scripted-server.js";

const chat = "/v1/chat/completions";
const key = "secret-key-7f3a9b";
const other = "another-key-55d1";
const body = { model: "rsd/default", messages: [{ role: "user", content: "hello" }] };
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

let open: ScriptedServer;
let guarded: ScriptedServer;
beforeAll(async () => {
  open = await scriptedServer({ origins: ["https://studio.example"] });
  guarded = await scriptedServer({ keys: [key, other], limits: { wrongKeysPerMinute: 20_000 } });
});
afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

describe("B: access", () => {
  it("case 13: whatever is wrong with a key, the refusal is the same", async () => {
    const wrong: Record<string, string>[] = [
      {},
      bearer("wrong"),
      bearer(key.toUpperCase()),
      bearer(`${key} `),
      bearer(key.slice(0, -1)),
      { authorization: "Bearer" },
      { authorization: "Bearer " },
      { authorization: key },
      { authorization: `bearer ${key}`.replace("bearer", "basic") },
      { "x-api-key": key },
      { "api-key": key },
    ];
    const bodies = new Set<string>();
    for (const headers of wrong) {
      if (headers.authorization === `Bearer ${key} `) continue;
      const response = await guarded.post(chat, body, headers);
      expect([headers, response.status]).toEqual([headers, 401]);
      const { error } = (await response.json()) as { error: Record<string, unknown> };
      bodies.add(JSON.stringify({ ...error, request_id: "" }));
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect(bodies.size).toBe(1);
    for (const path of ["/v1/models", "/v1/limits", "/metrics", "/v1/runs", "/v2/unknown"]) {
      expect([path, (await guarded.fetch(path)).status]).toEqual([path, 401]);
    }
    for (const path of ["/health", "/ready"]) expect((await guarded.fetch(path)).status).toBe(200);
    for (const right of [key, other]) {
      expect((await guarded.post(chat, body, bearer(right))).status).toBe(200);
    }
  });

  it("case 14: a key that is wrong at its start takes as long as one that is wrong at its end", async () => {
    const early = `x${key.slice(1)}`;
    const late = `${key.slice(0, -1)}x`;
    const { Access } = await import("../../src/server/access.js");
    const options = { host: "127.0.0.1", keys: [key, other], origins: [], hosts: [] };
    const access = new Access({ ...options, wrongKeysPerMinute: 1_000_000 });
    const time = (value: string) => {
      const started = performance.now();
      expect(() => access.owner(`Bearer ${value}`, "10.0.0.1")).toThrow();
      return performance.now() - started;
    };
    const [atStart, atEnd]: [number[], number[]] = [[], []];
    for (let round = 0; round < 5000; round++) {
      // In turn, and in both orders, so that what the machine does meanwhile falls on both alike.
      for (const value of round % 2 ? [early, late] : [late, early]) {
        (value === early ? atStart : atEnd).push(time(value));
      }
    }
    expect(Math.abs(welch(trimmed(atStart), trimmed(atEnd)))).toBeLessThan(3.9);
  });

  it("case 14: an address that guesses is told to wait, and a right key still works", async () => {
    await using strict = await scriptedServer({ keys: [key], limits: { wrongKeysPerMinute: 5 } });
    const statuses: number[] = [];
    for (let count = 0; count < 8; count++) {
      statuses.push((await strict.fetch("/v1/models", { headers: bearer(`wrong-${count}`) })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    const limited = await strict.fetch("/v1/models", { headers: bearer("wrong") });
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await strict.fetch("/v1/models", { headers: bearer(key) })).status).toBe(200);
  });

  it("case 15: without a key nothing listens beyond this machine", async () => {
    const models = await (await import("../../src/server/index.js")).serveModels({
      pairs: [],
      defaults: new Map(),
    });
    for (const host of ["0.0.0.0", "::", "192.0.2.1"]) {
      const start = startServer({ models, folder: null, host, port: 0 });
      await expect(start).rejects.toMatchObject({ code: "invalid-option", subject: "--host" });
    }
    await using server = await startServer({ models, folder: null, host: "0.0.0.0", port: 0, keys: [key] });
    expect((await fetch(`http://127.0.0.1:${server.port}/v1/models`)).status).toBe(401);
  });

  it("case 16: other names than this machine's are refused", async () => {
    const asked = async (host: string) => {
      const answer = await raw(open.port, [
        `GET /v1/models HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
      ]);
      return answersOf(answer)[0]!.status;
    };
    expect(await asked("evil.example")).toBe(403);
    expect(await asked(`evil.example:${open.port}`)).toBe(403);
    expect(await asked("127.0.0.1.evil.example")).toBe(403);
    expect(await asked("")).toBeGreaterThanOrEqual(400);
    expect(await asked(`localhost:${open.port}`)).toBe(200);
    expect(await asked("[::1]:80")).toBe(200);
  });

  it("case 16: a page of an origin that is not listed reads nothing and changes nothing", async () => {
    const ask = (origin: string, method: string, path = chat, more: Record<string, string> = {}) =>
      withOrigin(open.port, {
        method,
        path,
        headers: { origin, ...more },
        body: method === "POST" ? body : undefined,
      });
    for (const origin of [
      "https://evil.example",
      "null",
      "http://localhost:1",
      "https://studio.example.evil",
    ]) {
      expect(await ask(origin, "POST")).toMatchObject({ status: 403, cors: undefined });
      expect(await ask(origin, "DELETE", "/v1/runs/run-1")).toMatchObject({ status: 403 });
      expect(await ask(origin, "GET", "/v1/models")).toMatchObject({ status: 200, cors: undefined });
      const preflight = { "access-control-request-method": "POST" };
      expect(await ask(origin, "OPTIONS", chat, preflight)).toMatchObject({
        status: 204,
        cors: undefined,
        methods: undefined,
      });
    }
    const listed = "https://studio.example";
    expect(await ask(listed, "POST")).toMatchObject({ status: 200, cors: listed });
    const preflight = { "access-control-request-method": "POST" };
    expect(await ask(listed, "OPTIONS", chat, preflight)).toMatchObject({
      status: 204,
      cors: listed,
      methods: "POST",
    });
    const own = `http://127.0.0.1:${open.port}`;
    expect(await ask(own, "POST")).toMatchObject({ status: 200, cors: own });
  });

  it("case 18: neither keys nor prompts reach logs, errors or metrics", async () => {
    const canary = "canary-4711-prompt";
    await using server = await scriptedServer({
      keys: [key],
      reward: {
        score: (question) => {
          throw new Error(`failed at ${question}`);
        },
      },
      draft: {
        fault: ({ index }) =>
          index > 8 ? { kind: "throw", error: new TypeError(`bug at ${canary}`) } : undefined,
      },
    });
    const outputs: string[] = [];
    const headers = bearer(key);
    const seen = async (path: string, sent?: object) => {
      const response = sent ? await server.post(path, sent, headers) : await server.fetch(path, { headers });
      outputs.push(await response.text(), JSON.stringify([...response.headers]));
      return response.status;
    };
    const message = [{ role: "user", content: canary }];
    expect(await seen(chat, { model: "rsd/default", messages: message })).toBe(424);
    expect(await seen(chat, { model: "rsd/default", messages: message, n: "3" })).toBe(400);
    expect(await seen(chat, { model: "rsd/default", messages: message, stop: [""] })).toBe(400);
    expect(
      await seen(chat, { model: "rsd/default", messages: message, stepwright: { nothing: canary } }),
    ).toBe(400);
    for (let count = 0; count < 4; count++)
      await seen(chat, { model: "draft/default", messages: message, stream: true });
    await seen("/metrics");
    await seen("/v1/limits");
    outputs.push(...server.notices);
    const wrong = await server.post(chat, body, bearer(`${key}-and-more`));
    outputs.push(await wrong.text());
    for (const output of outputs) {
      expect(output).not.toContain(key);
      // What a draft says back is its answer; nothing else may hold the prompt.
      if (!output.includes("first says draft")) expect(output).not.toContain(canary);
    }
    expect(outputs.join("")).toContain("internal_error");
  });
});

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: object | undefined;
}

/** `fetch` does not let a program name an origin. */
function withOrigin(port: number, { method, path, headers, body }: Asked) {
  return new Promise<{ status: number; cors: string | undefined; methods: string | undefined }>(
    (resolve, reject) => {
      const sent = request(
        {
          port,
          host: "127.0.0.1",
          method,
          path,
          headers: { "content-type": "application/json", ...headers },
        },
        (response) => {
          response.resume();
          response.on("end", () =>
            resolve({
              status: response.statusCode!,
              cors: response.headers["access-control-allow-origin"],
              methods: response.headers["access-control-allow-methods"],
            }),
          );
        },
      );
      sent.on("error", reject);
      sent.end(body && JSON.stringify(body));
    },
  );
}

/** Without the slowest tenth, where the machine did something else. */
function trimmed(times: readonly number[]): number[] {
  return [...times].sort((a, b) => a - b).slice(0, Math.floor(times.length * 0.9));
}

/** Welch's statistic of the difference of two means; beyond 3.9 in one of ten thousand by chance. */
function welch(a: readonly number[], b: readonly number[]): number {
  const [first, second] = [moments(a), moments(b)];
  return (first.mean - second.mean) / Math.sqrt(first.variance / a.length + second.variance / b.length);
}

function moments(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}
