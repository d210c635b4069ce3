/** Reliability cases A: what arrives before it is a request that makes sense. */
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answersOf, postText, raw } from "./raw-socket.js";
import { type ScriptedServer, scriptedServer } from "./scripted-server.js";

const chat = "/v1/chat/completions";
const body = (content: unknown = "hello", more: object = {}) => ({
  model: "rsd/default",
  messages: [{ role: "user", content }],
  ...more,
});

let server: ScriptedServer;
let impatient: ScriptedServer;
beforeAll(async () => {
  server = await scriptedServer({ limits: { bodyBytes: 100_000 } });
  impatient = await scriptedServer({ limits: { headerSeconds: 0.5, bodySeconds: 0.8 } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await impatient[Symbol.asyncDispose]();
});

async function refusal(response: Response) {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  expect(error.message).toEqual(expect.any(String));
  expect(error.type).toEqual(expect.any(String));
  expect(error.request_id).toBe(response.headers.get("x-request-id"));
  expect(JSON.stringify(error)).not.toMatch(/node_modules|\/work|\.ts:|at Object/);
  return { status: response.status, code: error.code, message: String(error.message) };
}

describe("A: HTTP and JSON", () => {
  it.each([
    ['{"model": }', 10],
    ["hello", 0],
    ['{"model": "rsd/default", "messages": [', 38],
    ["", 0],
    [`{"n": NaN, "text": "${"long ".repeat(30)}"}`, 6],
  ])("case 1: a body that is not JSON is refused at its position: %s", async (text, position) => {
    const { status, code, message } = await refusal(await server.post(chat, text));
    expect([status, code]).toEqual([400, "invalid_json"]);
    expect(message).toContain(`position ${position}`);
  });

  it.each(["[]", "17", '"text"', "null", "true"])("case 2: %s is no request", async (text) => {
    expect(await refusal(await server.post(chat, text))).toMatchObject({ status: 400, code: "invalid_body" });
  });

  it("case 3: a body beyond the limit ends its connection, announced or not, and is not kept", async () => {
    const announced = await raw(server.port, [
      `POST ${chat} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 100001\r\n\r\n`,
    ]);
    expect(answersOf(announced)[0]).toMatchObject({ status: 413, headers: { connection: "close" } });

    const before = process.memoryUsage().rss;
    const start = `POST ${chat} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
    const piece = Buffer.alloc(65_536, "x");
    function* endless() {
      yield start;
      for (let count = 0; count < 2000; count++) {
        yield "10000\r\n";
        yield piece;
        yield "\r\n";
      }
    }
    const chunked = await raw(server.port, endless(), { untilAnswered: true });
    expect(answersOf(chunked)[0]).toMatchObject({ status: 413 });
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });

  it("case 4: deep nesting is refused without being parsed", async () => {
    const deep = `{"messages":${"[".repeat(10_000)}${"]".repeat(10_000)}}`;
    const started = performance.now();
    expect(await refusal(await server.post(chat, deep))).toMatchObject({ status: 400, code: "invalid_json" });
    expect(performance.now() - started).toBeLessThan(500);
    // Brackets in a text are no nesting.
    expect((await server.post(chat, body("[".repeat(200)))).status).toBe(200);
  });

  it("case 5: keys of prototypes change none", async () => {
    const text = JSON.stringify(body()).replace(
      "{",
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":1,',
    );
    const response = await server.post(chat, text);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-stepwright-ignored")).toBe("__proto__, constructor, prototype");
    const options =
      '{"model":"rsd/default","messages":[{"role":"user","content":"x"}],"stepwright":{"options":{"__proto__":{"polluted":1}}}}';
    expect((await server.post(chat, options)).status).toBe(200);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("case 6: other media types and compressed bodies are refused", async () => {
    const text = JSON.stringify(body());
    const plain = await server.post(chat, text, { "content-type": "text/plain" });
    expect(await refusal(plain)).toMatchObject({ status: 415 });
    const bomb = await server.fetch(chat, {
      method: "POST",
      headers: { "content-type": "application/json", "content-encoding": "gzip" },
      body: gzipSync(Buffer.alloc(10e6, "x")),
    });
    expect(await refusal(bomb)).toMatchObject({ status: 415 });
    const charset = { "content-type": "Application/JSON; charset=utf-8" };
    expect((await server.post(chat, text, charset)).status).toBe(200);
  });

  it("case 7: unknown paths are 404, known ones say which methods they take", async () => {
    expect(await refusal(await server.fetch("/v2/nothing"))).toMatchObject({
      status: 404,
      code: "not_found",
    });
    const wrong = await server.fetch(chat);
    expect(wrong.headers.get("allow")).toBe("POST");
    expect(await refusal(wrong)).toMatchObject({ status: 405, code: "method_not_allowed" });
    const patched = await server.fetch("/v1/models", { method: "PATCH" });
    expect(patched.headers.get("allow")).toBe("GET, HEAD");
    expect(patched.status).toBe(405);
  });

  it("case 8: broken and odd texts are refused or come back as they were", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"model":"rsd/default","messages":[{"role":"user","content":"'),
      Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
      Buffer.from('"}]}'),
    ]);
    const invalid = await server.fetch(chat, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: bytes,
    });
    expect(await refusal(invalid)).toMatchObject({ status: 400, code: "invalid_json" });
    for (const content of ["\ud800", "half \udc00 pair", "nul \u0000 here"]) {
      const text = JSON.stringify(body(content));
      expect(await refusal(await server.post(chat, text))).toMatchObject({
        status: 400,
        code: "invalid_value",
      });
    }
    const answerTo = async (content: string) => {
      const response = await server.post(chat, body(content));
      const answer = (await response.json()) as { choices: { message: { content: string } }[] };
      return answer.choices[0]!.message.content;
    };
    for (const content of [
      "e\u0301\u0301\u0302 \u202e rtl \u{1f469}\u200d\u{1f680}",
      "\u001b[31mred\u001b[0m \u0007",
    ]) {
      expect(await answerTo(content)).toContain(`The answer is ${content}`);
    }
    const marks = `a${"\u0301".repeat(15_000)}`;
    expect(await refusal(await server.post(chat, body(marks)))).toMatchObject({
      code: "context_length_exceeded",
    });
  });

  it("case 9: too many, doubled or contradicting headers are refused and end the connection", async () => {
    const start = "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n";
    const many = Array.from({ length: 200 }, (_, index) => `x-${index}: 1\r\n`).join("");
    expect(answersOf(await raw(server.port, [`${start}${many}\r\n`]))[0]).toMatchObject({ status: 431 });
    const huge = `${start}x-huge: ${"x".repeat(65_536)}\r\n\r\n`;
    expect(answersOf(await raw(server.port, [huge]))[0]).toMatchObject({ status: 431 });
    const twice = `${start}authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n`;
    expect(answersOf(await raw(server.port, [twice]))[0]).toMatchObject({ status: 400 });
    const smuggled =
      `POST ${chat} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
      "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    const answers = answersOf(await raw(server.port, [smuggled]));
    expect(answers.map(({ status }) => status)).toEqual([400]);
  });

  it("case 10: slow headers and bodies time out, and hold nobody else up", async () => {
    const slowHeaders = raw(impatient.port, [..."GET /health HTTP/1.1\r\nx-slow: 1234567890"], {
      pauseMilliseconds: 100,
    });
    const slowBody = raw(
      impatient.port,
      [
        `POST ${chat} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n`,
        ..."x".repeat(40),
      ],
      { pauseMilliseconds: 100 },
    );
    const idle: Socket[] = Array.from({ length: 200 }, () => connect(impatient.port, "127.0.0.1"));
    for (const socket of idle) {
      socket.on("error", () => {});
      socket.write(`POST ${chat} HTTP/1.1\r\nhost: 127.0.0.1\r\n`);
    }
    const alone: number[] = [];
    for (let count = 0; count < 10; count++) {
      const started = performance.now();
      expect((await impatient.fetch("/health")).status).toBe(200);
      alone.push(performance.now() - started);
    }
    expect(alone.sort((a, b) => a - b)[5]).toBeLessThan(100);
    expect(answersOf(await slowHeaders)[0]).toMatchObject({ status: 408 });
    expect(answersOf(await slowBody)[0]).toMatchObject({ status: 408 });
    for (const socket of idle) socket.destroy();
  });

  it("case 11: requests sent ahead are answered in order, also to a client that has closed its side", async () => {
    const tokenize = (content: string) => postText("/tokenize", JSON.stringify({ model: "draft", content }));
    const text = [
      "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
      tokenize("abc"),
      tokenize("abcde"),
      postText(chat, JSON.stringify(body("last one"))),
    ].join("");
    const answers = answersOf(await raw(server.port, [text], { halfClose: true })).filter(
      ({ status }) => status >= 200,
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(JSON.parse(answers[1]!.body).count).toBe(3);
    expect(JSON.parse(answers[2]!.body).count).toBe(5);
    expect(answers[3]!.body).toContain("The answer is last one");
  });

  it("case 12: HEAD and OPTIONS on every route are answered without work", async () => {
    const calls = server.calls();
    const paths: [string, string][] = [
      [chat, "POST"],
      ["/v1/completions", "POST"],
      ["/v1/rewards", "POST"],
      ["/tokenize", "POST"],
      ["/v1/detokenize", "POST"],
      ["/v1/models", "GET, HEAD"],
      ["/v1/models/rsd/default", "GET, HEAD"],
      ["/v1/limits", "GET, HEAD"],
      ["/v1/runs", "POST, GET, HEAD"],
      ["/metrics", "GET, HEAD"],
      ["/health", "GET, HEAD"],
      ["/ready", "GET, HEAD"],
    ];
    for (const [path, methods] of paths) {
      const options = await server.fetch(path, { method: "OPTIONS" });
      expect([path, options.status]).toEqual([path, 204]);
      expect(new Set(options.headers.get("allow")!.split(", "))).toEqual(
        new Set([...methods.split(", "), "OPTIONS"]),
      );
      const head = await server.fetch(path, { method: "HEAD" });
      expect([path, head.status]).toEqual([path, methods.includes("HEAD") ? 200 : 405]);
      expect(await head.text()).toBe("");
    }
    expect((await server.fetch("/v2", { method: "OPTIONS" })).status).toBe(404);
    expect(server.calls()).toBe(calls);
    // The head of a run's events ends at once, though the run goes on.
    const run = await server.post("/v1/runs", { model: "default", question: "x" });
    const { id } = (await run.json()) as { id: string };
    const head = await server.fetch(`/v1/runs/${id}/events`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-type")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
    ]);
  });
});

describe("a server that stops", () => {
  it("sends the answers that it still makes, and refuses new requests meanwhile", async () => {
    const stopping = await scriptedServer({
      draft: { delay: ({ kind }) => (kind === "extend" ? 0.15 : 0) },
      limits: { drainSeconds: 10 },
    });
    const running = Array.from({ length: 8 }, () => stopping.post(chat, body("almost late")));
    while (stopping.service.load.running < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    const stopped = stopping.stop();
    const refused = await stopping.post(chat, body());
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    for (const response of await Promise.all(running)) {
      expect(await response.text()).toContain("The answer is almost late");
    }
    await stopped;
    expect(stopping.live()).toBe(0);
    await expect(stopping.fetch("/health")).rejects.toThrow();
  });
});
