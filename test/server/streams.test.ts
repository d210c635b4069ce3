/** Section D: streams and cancelling, over real sockets. */
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startRun } from "../../src/core/run.js";
import rsd from "../../src/methods/rsd.js";
import type { ScriptedCall } from "../../src/models/scripted-faults.js";
import { echoAnswer, echoQuestion, echoWorld } from "../../src/testing/echo-world.js";
import {
  allFrames,
  chat,
  type EchoServer,
  echoServer,
  eventsOf,
  type Frame,
  framesOf,
  order,
  textsOf,
  until,
} from "./runs-world.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-streams-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let server: EchoServer | undefined;
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

const chatPath = "/v1/chat/completions";
const slow = { delay: () => 0.01 };
const answer = (nonce: string, steps: number) => echoAnswer(echoQuestion(nonce, steps));

/** A stream that the test can break off. */
async function open(body: object): Promise<{ response: Response; close: () => void }> {
  const controller = new AbortController();
  const response = await server!.post(chatPath, { ...body, stream: true }, { signal: controller.signal });
  return { response, close: () => controller.abort() };
}

async function runOf(id: string) {
  return (await server!.fetch(`/v1/runs/${id}`)).json() as Promise<Record<string, unknown>>;
}

describe("a client that leaves", () => {
  test("33: in the middle of its stream stops its run within a step; others do not notice", async () => {
    const world = echoWorld(slow);
    server = await echoServer(world, { folder: join(folder, "33") });
    const stays = open(chat("stays", 20));
    const leaves = await open(chat("leaves", 500));
    const id = leaves.response.headers.get("x-request-id")!;
    for await (const { data } of framesOf(leaves.response)) if (data.includes("Step 3")) break;
    leaves.close();
    await until(async () => (await runOf(id)).status === "cancelled");
    const records = await server.service.runs.records(id, "local");
    const seen = records.filter(({ type }) => type === "step-committed").length;
    expect(seen).toBeLessThan(20);
    expect(textsOf(await allFrames((await stays).response))).toEqual([answer("stays", 20)]);
    await until(() => world.live() === 0);
  });

  test("34: while its prompt is read stops the reading", async () => {
    const isReading = (call: ScriptedCall) => call.kind === "append" || call.kind === "open";
    // An hour: whatever ends it is not its own end.
    const world = echoWorld({ delay: (call) => (isReading(call) ? 3600 : 0), context: 32_768 });
    server = await echoServer(world);
    const controller = new AbortController();
    const long = { ...chat("long", 3), stream: true };
    long.messages[0]!.content += ` ${"word ".repeat(1600)}`;
    const answered = server.post(chatPath, long, { signal: controller.signal });
    answered.catch(() => {});
    await until(() => world.draft.stage.calls > 0);
    controller.abort();
    await until(() => server!.service.load.running === 0);
    await until(() => world.live() === 0);
  });

  test("35: while it waits in the queue is taken out of it, and nobody else is", async () => {
    const world = echoWorld(slow);
    server = await echoServer(world, { concurrency: 1 });
    const running = open(chat("running", 20));
    await until(() => server!.service.load.running === 1);
    const controller = new AbortController();
    const queued = server.post(chatPath, chat("queued", 2), { signal: controller.signal });
    queued.catch(() => {});
    const behind = server.post(chatPath, chat("behind", 2));
    await until(() => server!.service.load.waiting === 2);
    controller.abort();
    await until(() => server!.service.load.waiting === 1);
    expect(textsOf(await allFrames((await running).response))).toEqual([answer("running", 20)]);
    const { choices } = (await (await behind).json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]!.message.content).toBe(answer("behind", 2));
  });

  test("36: without closing, and reads no more, is left after the stall limit; its result is kept, others go on", async () => {
    // In every step of 200: more than any socket's buffers hold.
    const nonce = "x".repeat(60_000);
    const world = echoWorld({ words: [nonce] });
    server = await echoServer(world, { folder: join(folder, "36"), stallSeconds: 0.5 });
    const id = await new Promise<string>((resolve, reject) => {
      const outgoing = request(`${server!.url}${chatPath}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
      });
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        response.on("error", () => {});
        response.pause();
        resolve(String(response.headers["x-request-id"]));
      });
      outgoing.end(
        JSON.stringify({ ...chat(nonce, 200), model: "target/echo", max_tokens: 6000, stream: true }),
      );
    });
    const other = await open(chat("other", 4));
    expect(textsOf(await allFrames(other.response))).toEqual([answer("other", 4)]);
    await until(async () => (await runOf(id)).status === "finished", 40);
    expect(await streamsOpen()).toBe(0);
  });

  async function streamsOpen(): Promise<number> {
    const text = await (await server!.fetch("/metrics")).text();
    return Number(/^stepwright_streams_open (\d+)$/m.exec(text)![1]);
  }
});

describe("cancelling", () => {
  test("37: twice, an unknown run, or another key's: 204 once, else 404, without effect on others", async () => {
    const world = echoWorld(slow);
    server = await echoServer(world, { folder: join(folder, "37"), keys: ["key-of-a", "key-of-b"] });
    const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    const started = await server.post("/v1/runs", chat("a", 500), as("key-of-a"));
    expect(started.status).toBe(202);
    const { id } = (await started.json()) as { id: string };
    const other = server.post(chatPath, chat("other", 20), as("key-of-b"));
    await until(() => world.reward.passes > 2);
    const cancel = async (run: string, key: string) =>
      (await server!.fetch(`/v1/runs/${run}`, { method: "DELETE", ...as(key) })).status;
    expect(await cancel(id, "key-of-b")).toBe(404);
    expect(await cancel("run-20260101-000000-0123456789abcdef", "key-of-a")).toBe(404);
    expect(await cancel("..%2F..%2Fetc", "key-of-a")).toBe(404);
    expect(await cancel(id, "key-of-a")).toBe(204);
    expect(await cancel(id, "key-of-a")).toBe(404);
    expect((await other).status).toBe(200);
    const listed = async (key: string) =>
      ((await (await server!.fetch("/v1/runs", as(key))).json()) as { data: { id: string }[] }).data;
    expect((await listed("key-of-a")).map((run) => run.id)).toEqual([id]);
    expect((await listed("key-of-b")).map((run) => run.id)).not.toContain(id);
  });

  test("38: a signal that has fired already rejects a run at once", async () => {
    const { roles, live } = echoWorld();
    const run = startRun({ method: rsd, question: "q", roles, signal: AbortSignal.abort("before") });
    await expect(run.result).rejects.toMatchObject({ code: "aborted" });
    expect(live()).toBe(0);
  });
});

describe("what a stream holds", () => {
  test("39: an engine that fails under way becomes an error object, then [DONE]; the trace says where", async () => {
    let calls = 0;
    const world = echoWorld({
      fault: ({ kind }) => (kind === "extend" && ++calls > 6 ? { kind: "throw" } : undefined),
    });
    server = await echoServer(world, { folder: join(folder, "39") });
    const { response } = await open(chat("fails", 20));
    const id = response.headers.get("x-request-id")!;
    const frames = await allFrames(response);
    expect(frames.at(-1)!.data).toBe("[DONE]");
    const { error } = JSON.parse(frames.at(-2)!.data);
    expect(error).toMatchObject({ code: "decode_failed", request_id: id });
    expect(answer("fails", 20).startsWith(textsOf(frames.slice(0, -2))[0]!)).toBe(true);
    expect(await runOf(id)).toMatchObject({ status: "failed", error: { code: "decode-failed" } });
    const records = await server.service.runs.records(id, "local");
    expect(records.at(-1)).toMatchObject({ type: "run-failed", error: { code: "decode-failed" } });
    expect(records.filter(({ type }) => type === "step-committed").length).toBeGreaterThan(2);
    const whole = await server.post(chatPath, chat("fails", 20));
    expect(whole.status).toBe(500);
    expect(world.live()).toBe(0);
  });

  test("40: whole characters only, however their bytes fall into tokens", async () => {
    server = await echoServer(echoWorld());
    const nonce = "é🙂👩‍👩‍👧‍👦한글";
    for (const model of ["target/echo", "rsd/echo"]) {
      const { response } = await open({ ...chat(nonce, 5), model });
      const frames = await allFrames(response);
      for (const { data } of frames) expect(data).not.toMatch(/�|\\ud[89ab]../i);
      expect(textsOf(frames)).toEqual([answer(nonce, 5)]);
    }
  });

  test("41: together the same text as the whole answer, for every method and several choices", async () => {
    server = await echoServer(echoWorld());
    const { data } = (await (await server.fetch("/v1/models")).json()) as { data: { id: string }[] };
    const presets = data.map(({ id }) => id).filter((id) => id.includes("/"));
    expect(presets.length).toBeGreaterThan(10);
    for (const model of presets) {
      const body = { ...chat("same", 3), model, n: 2, seed: 7, temperature: 1, max_tokens: 512 };
      const answered = await server.post(chatPath, body);
      const whole = (await answered.json()) as { choices: { message: { content: string } }[] };
      expect([model, answered.status]).toEqual([model, 200]);
      const frames = await allFrames((await open(body)).response);
      expect([model, textsOf(frames)]).toEqual([model, whole.choices.map(({ message }) => message.content)]);
      const ends = frames.flatMap(({ data }) =>
        data === "[DONE]"
          ? []
          : JSON.parse(data).choices.filter((one: { finish_reason?: string }) => one.finish_reason),
      );
      expect([model, ends.map(({ index }: { index: number }) => index).sort()]).toEqual([model, [0, 1]]);
    }
  }, 120_000);

  test("42: never a step that was rejected, unless the client asks to see what is provisional", async () => {
    server = await echoServer(echoWorld());
    const plain = await allFrames((await open(chat("plain", 9))).response);
    expect(plain.map(({ data }) => data).join("")).not.toContain("Slip");
    const asked = await allFrames(
      (await open(chat("asked", 9, { stepwright: { provisional: true } }))).response,
    );
    expect(asked.map(({ data }) => data).join("")).toContain("Slip");
    expect(textsOf(asked)).toEqual([answer("asked", 9)]);
  });

  test("43: everything after the last event that a reader had; expired is 410, another's is 404", async () => {
    const world = echoWorld(slow);
    server = await echoServer(world, { folder: join(folder, "43"), keys: ["mine", "yours"] });
    const mine = { authorization: "Bearer mine" };
    const started = await server.post("/v1/runs", chat("resume", 12), { headers: mine });
    const { id } = (await started.json()) as { id: string };
    const question = () => server!.fetch(`/v1/runs/${id}`, { headers: mine }).then((told) => told.json());
    expect(await question()).toMatchObject({ question: echoQuestion("resume", 12) });
    const read = (after?: string, headers: Record<string, string> = mine) =>
      server!.fetch(`/v1/runs/${id}/events${after === undefined ? "" : `?after=${after}`}`, { headers });
    const before: Frame[] = [];
    for await (const frame of framesOf(await read())) {
      if (frame.id !== undefined) before.push(frame);
      if (before.length === 9) break;
    }
    const after = await allFrames(await read(undefined, { ...mine, "last-event-id": before.at(-1)!.id! }));
    const trace = await server.fetch(`/v1/runs/${id}/trace`, { headers: mine });
    const records = (await trace.text()).trimEnd().split("\n").length;
    const numbered = [...before, ...after.filter((frame) => frame.id !== undefined)];
    expect(numbered.map((frame) => Number(frame.id))).toEqual([...Array(records).keys()]);
    expect(after.at(-1)).toMatchObject({ event: "end", data: '{"status":"finished"}' });
    // From disk the same, but for the text that was being written.
    const numberedOnly = (frames: readonly Frame[]) =>
      frames.flatMap(({ id, data }) => (id === undefined ? [] : [[id, JSON.parse(data)]]));
    const later = await allFrames(await read(before.at(-1)!.id));
    expect(numberedOnly(later)).toEqual(numberedOnly(after));
    expect(await question()).toMatchObject({ question: echoQuestion("resume", 12), status: "finished" });
    expect((await read("x")).status).toBe(400);
    expect((await read(undefined, { authorization: "Bearer yours" })).status).toBe(404);
    await server[Symbol.asyncDispose]();

    server = await echoServer(world, { keys: ["mine"] });
    const unkept = await server.post(chatPath, chat("unkept", 3), { headers: mine });
    const gone = await server.fetch(`/v1/runs/${unkept.headers.get("x-request-id")}/events`, {
      headers: mine,
    });
    expect(gone.status).toBe(410);
  });
});

test("back-pressure: a reader takes its time and misses nothing", async () => {
  const world = echoWorld();
  server = await echoServer(world, { folder: join(folder, "slow-reader") });
  const handle = await server.service.submit(order(world, { steps: 50 }));
  await handle.choices[0]!.result;
  const expected = await eventsOf(await server.service.runs.events(handle.id, "local", undefined));
  const frames: Frame[] = [];
  for await (const frame of framesOf(await server.fetch(`/v1/runs/${handle.id}/events`))) {
    if (frames.length % 40 === 0) await new Promise((wake) => setTimeout(wake, 5));
    if (frame.id !== undefined) frames.push(frame);
  }
  expect(frames.map(({ data }) => JSON.parse(data))).toEqual(expected.map(({ event }) => event));
});
