/** The runs behind the server: kept, found, joined, cancelled, taken up again. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StepwrightError } from "../../src/core/errors.js";
import { readTrace } from "../../src/core/trace-file.js";
import { echoAnswer, echoQuestion, echoWorld } from "../../src/testing/echo-world.js";
import { eventsOf, order, recordsOf, serveEcho, until } from "./runs-world.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-runs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const answer = (nonce: string, steps: number) => echoAnswer(echoQuestion(nonce, steps));

/** Each call takes so long: slow enough to be caught at work. */
const slow = { delay: () => 0.01 };

describe("a run", () => {
  test("leaves its trace and its facts on disk, and is found again by a later server", async () => {
    const world = echoWorld();
    const first = await serveEcho(world, { folder });
    const handle = await first.service.submit(order(world, { nonce: "abc" }));
    const result = await handle.choices[0]!.result;
    expect(result).toMatchObject({ run: handle.id, text: answer("abc", 4), finish: "stop" });
    const live = await eventsOf(handle.choices[0]!.events());
    handle.leave("done");
    await first.service[Symbol.asyncDispose]();

    const second = await serveEcho(world, { folder });
    const facts = second.service.runs.facts(handle.id, "local");
    expect(facts).toMatchObject({ status: "finished", finish: "stop", answer: "abc", method: "rsd" });
    expect([...second.service.runs.list("local")]).toEqual([facts]);
    expect(await recordsOf(await second.service.runs.events(handle.id, "local", undefined))).toEqual(
      live.flatMap(({ event }) => (event.type === "text-written" ? [] : [event])),
    );
    await second.service[Symbol.asyncDispose]();
    expect(world.live()).toBe(0);
  });

  test("of another owner looks like one that never was", async () => {
    const world = echoWorld();
    const { service } = await serveEcho(world, { folder });
    const handle = await service.submit(order(world, { owner: "a" }));
    await handle.choices[0]!.result;
    const unknown = "run-20260101-000000-0123456789abcdef";
    for (const id of [handle.id, unknown]) {
      expect(() => service.runs.facts(id, "b")).toThrow(
        expect.objectContaining({ status: 404, code: "run_not_found" }),
      );
      expect(() => service.cancel(id, "b")).toThrow(expect.objectContaining({ status: 404 }));
      await expect(service.runs.events(id, "b", undefined)).rejects.toMatchObject({ status: 404 });
      await expect(service.resume(id, "b")).rejects.toMatchObject({ status: 404 });
    }
    expect([...service.runs.list("b")]).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  test("of a request with several answers is one of several, each with its own seed and id", async () => {
    const world = echoWorld();
    const { service } = await serveEcho(world, { folder });
    const handle = await service.submit(order(world, { choices: 3 }));
    const results = await Promise.all(handle.choices.map(({ result }) => result));
    expect(results.map(({ run, seed }) => [run, seed])).toEqual([
      [handle.id, 0],
      [`${handle.id}-1`, 1],
      [`${handle.id}-2`, 2],
    ]);
    expect([...service.runs.list("local")].map(({ request }) => request)).toEqual([
      handle.id,
      handle.id,
      handle.id,
    ]);
    await service[Symbol.asyncDispose]();
  });

  test("is gone when nothing is kept, and its id says so to its owner alone", async () => {
    const world = echoWorld();
    const { service } = await serveEcho(world);
    const handle = await service.submit(order(world));
    await handle.choices[0]!.result;
    expect(() => service.runs.facts(handle.id, "local")).toThrow(expect.objectContaining({ status: 410 }));
    expect(() => service.runs.facts(handle.id, "other")).toThrow(expect.objectContaining({ status: 404 }));
    await service[Symbol.asyncDispose]();
  });

  test("makes room for newer ones: by age, and by bytes", async () => {
    const world = echoWorld();
    const generous = await serveEcho(world, { folder });
    const ids: string[] = [];
    for (let index = 0; index < 4; index++) {
      const handle = await generous.service.submit(order(world, { nonce: `n${index}` }));
      await handle.choices[0]!.result;
      ids.push(handle.id);
    }
    const [one] = [...generous.service.runs.list("local")];
    await generous.service[Symbol.asyncDispose]();

    const tight = await serveEcho(world, { folder, keepBytes: 2 * one!.bytes + 10 });
    expect([...tight.service.runs.list("local")].map(({ id }) => id)).toEqual(
      [...ids].sort().slice(2).reverse(),
    );
    expect(() => tight.service.runs.facts([...ids].sort()[0]!, "local")).toThrow(
      expect.objectContaining({ status: 410 }),
    );
    await tight.service[Symbol.asyncDispose]();

    const forgetful = await serveEcho(world, { folder, keepDays: 0 });
    expect((await readdir(folder)).filter((name) => name.startsWith("run-"))).toEqual([]);
    await forgetful.service[Symbol.asyncDispose]();
  });
});

describe("leaving and cancelling", () => {
  test("the last reader's leaving ends the run and frees its branches; an earlier one's does not", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const handle = await service.submit(order(world, { steps: 900 }));
    await until(() => world.live() > 0);
    handle.leave("closed");
    handle.leave("closed");
    const result = await handle.choices[0]!.result;
    expect(result.finish).toBe("abort");
    await until(() => world.live() === 0);
    expect(service.runs.facts(handle.id, "local").status).toBe("cancelled");
    await service[Symbol.asyncDispose]();
  });

  test("a run that is kept, or whose reader stalled, goes on", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const kept = await service.submit(order(world, { keep: true }));
    kept.leave("closed");
    const stalled = await service.submit(order(world));
    stalled.leave("stalled");
    for (const { choices } of [kept, stalled]) expect((await choices[0]!.result).finish).toBe("stop");
    await service[Symbol.asyncDispose]();
  });

  test("a client's signal is its leaving, also while it waits in the queue (35)", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { concurrency: 1 });
    const running = await service.submit(order(world, { steps: 20 }));
    const controller = new AbortController();
    const waiting = await service.submit(order(world, { signal: controller.signal }));
    expect(service.load).toMatchObject({ running: 1, waiting: 1 });
    controller.abort();
    await expect(waiting.choices[0]!.result).rejects.toMatchObject({ code: "aborted" });
    expect(service.load).toMatchObject({ running: 1, waiting: 0 });
    expect((await running.choices[0]!.result).finish).toBe("stop");
    await service[Symbol.asyncDispose]();
  });

  test("cancelling works once, and only for the owner (37)", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const [first, second] = [
      await service.submit(order(world, { steps: 900, owner: "a" })),
      await service.submit(order(world, { steps: 20, owner: "a" })),
    ];
    await until(() => world.reward.passes > 2);
    expect(() => service.cancel(first.id, "b")).toThrow(expect.objectContaining({ status: 404 }));
    service.cancel(first.id, "a");
    expect(() => service.cancel(first.id, "a")).toThrow(expect.objectContaining({ status: 404 }));
    expect((await first.choices[0]!.result).finish).toBe("abort");
    expect((await second.choices[0]!.result).finish).toBe("stop");
    await service[Symbol.asyncDispose]();
  });

  test("a deadline counts the waiting, and ends with the best answer so far", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const handle = await service.submit(order(world, { steps: 900, deadlineSeconds: 0.3 }));
    const result = await handle.choices[0]!.result;
    expect(result.finish).toBe("abort");
    expect(answer("n0", 900).startsWith(result.text)).toBe(true);
    expect(service.runs.facts(handle.id, "local")).toMatchObject({ status: "finished", finish: "abort" });
    await service[Symbol.asyncDispose]();
  });
});

describe("an idempotency key", () => {
  const idempotency = { key: "k", digest: "d" };

  test("joins the run that is under way, then its result; with another body it is refused", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const first = await service.submit(order(world, { idempotency }));
    const second = await service.submit(order(world, { idempotency }));
    expect([first.joined, second.joined, second.id]).toEqual([false, true, first.id]);
    first.leave("closed");
    const result = await second.choices[0]!.result;
    const calls = world.draft.stage.calls;
    const third = await service.submit(order(world, { idempotency }));
    expect(third).toMatchObject({ id: first.id, joined: true });
    expect(await third.choices[0]!.result).toEqual(result);
    const text = (await eventsOf(third.choices[0]!.events())).map(({ event }) =>
      event.type === "text-written" && event.role === "draft" ? event.text : "",
    );
    expect(text.join("")).toContain("Slip");
    expect(world.draft.stage.calls).toBe(calls);
    const other = service.submit(order(world, { idempotency: { key: "k", digest: "e" } }));
    await expect(other).rejects.toMatchObject({ status: 422, code: "idempotency_mismatch" });
    const otherOwner = await service.submit(order(world, { idempotency, owner: "b" }));
    expect(otherOwner.joined).toBe(false);
    await service[Symbol.asyncDispose]();
  });

  test("holds the run for a client that comes back, and lets it go after the grace", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder, graceSeconds: 0.2 });
    const left = await service.submit(order(world, { steps: 40, idempotency }));
    left.leave("closed");
    const back = await service.submit(order(world, { steps: 40, idempotency }));
    expect(back.id).toBe(left.id);
    expect((await back.choices[0]!.result).finish).toBe("stop");
    const gone = await service.submit(
      order(world, { steps: 900, idempotency: { key: "gone", digest: "d" } }),
    );
    gone.leave("closed");
    expect((await gone.choices[0]!.result).finish).toBe("abort");
    const anew = await service.submit(order(world, { idempotency: { key: "gone", digest: "d" } }));
    expect(anew.joined).toBe(false);
    await anew.choices[0]!.result;
    await service[Symbol.asyncDispose]();
  });

  test("finds a result that only memory has, where nothing is stored", async () => {
    const world = echoWorld();
    const { service } = await serveEcho(world);
    const first = await service.submit(order(world, { idempotency }));
    const result = await first.choices[0]!.result;
    const second = await service.submit(order(world, { idempotency }));
    expect(await second.choices[0]!.result).toEqual(result);
    await service[Symbol.asyncDispose]();
  });

  test("outlives the server: what was cut goes on where it was, at no double cost", async () => {
    const world = echoWorld(slow);
    const first = await serveEcho(world, { folder });
    const cut = await first.service.submit(order(world, { steps: 40, idempotency }));
    await until(() => world.reward.passes >= 6);
    await first.service[Symbol.asyncDispose]();
    expect((await cut.choices[0]!.result).finish).toBe("abort");

    const second = await serveEcho(world, { folder });
    expect(second.service.runs.facts(cut.id, "local").status).toBe("interrupted");
    const passes = world.reward.passes;
    const again = await second.service.submit(order(world, { steps: 40, idempotency }));
    expect(again).toMatchObject({ id: cut.id, joined: true });
    const result = await again.choices[0]!.result;
    expect(result).toMatchObject({ run: cut.id, finish: "stop", text: answer("n0", 40) });
    expect(world.reward.passes - passes).toBeLessThan(40 - 4);
    expect(result.ledger.reward!.calls).toBe(40);
    const facts = second.service.runs.facts(cut.id, "local");
    expect(facts).toMatchObject({ status: "finished", idempotency });
    const events = await recordsOf(await second.service.runs.events(cut.id, "local", undefined));
    expect(events.filter(({ type }) => type === "run-finished")).toHaveLength(1);
    await second.service[Symbol.asyncDispose]();
  });
});

describe("taking up again", () => {
  test("a run that was cancelled goes on under its own id; one that is finished does not", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const handle = await service.submit(order(world, { steps: 30 }));
    await until(() => world.reward.passes >= 3);
    service.cancel(handle.id, "local");
    await handle.choices[0]!.result;
    const resumed = await service.resume(handle.id, "local");
    expect(resumed.id).toBe(handle.id);
    await expect(service.resume(handle.id, "local")).rejects.toMatchObject({ code: "run_not_resumable" });
    expect((await resumed.choices[0]!.result).text).toBe(answer("n0", 30));
    const { events } = await readTrace(service.runs.tracePath(handle.id, "local")!);
    const read = await eventsOf(await service.runs.events(handle.id, "local", undefined));
    expect(read.map(({ event }) => event)).toEqual(events);
    await expect(service.resume(handle.id, "local")).rejects.toMatchObject({ status: 409 });
    await service[Symbol.asyncDispose]();
  });

  test("a run that is taken up and cancelled before it starts stays as it was, to be taken up again", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder, concurrency: 1 });
    const handle = await service.submit(order(world, { steps: 30 }));
    await until(() => world.reward.passes >= 3);
    service.cancel(handle.id, "local");
    await handle.choices[0]!.result;
    const records = await service.runs.records(handle.id, "local");
    const busy = await service.submit(order(world, { nonce: "busy", steps: 900 }));
    const waiting = await service.resume(handle.id, "local");
    service.cancel(handle.id, "local");
    await expect(waiting.choices[0]!.result).rejects.toMatchObject({ code: "aborted" });
    busy.cancel("enough");
    await until(() => service.runs.facts(handle.id, "local").status === "cancelled");
    expect(await service.runs.records(handle.id, "local")).toEqual(records);
    const resumed = await service.resume(handle.id, "local");
    expect((await resumed.choices[0]!.result).text).toBe(answer("n0", 30));
    await service[Symbol.asyncDispose]();
  });

  test("a trace that a killed server left goes on, its torn end dropped (83)", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const handle = await service.submit(order(world, { steps: 30 }));
    await until(() => world.reward.passes >= 5);
    const path = service.runs.tracePath(handle.id, "local")!;
    const [bytes, facts] = await Promise.all([
      readFile(path),
      readFile(join(folder, handle.id, "run.json"), "utf8"),
    ]);
    await service[Symbol.asyncDispose]();
    // As a kill at that moment would have left it.
    await writeFile(path, bytes.subarray(0, bytes.length - 7));
    await writeFile(join(folder, handle.id, "run.json"), facts);

    const later = await serveEcho(world, { folder });
    expect(later.service.runs.facts(handle.id, "local").status).toBe("interrupted");
    const resumed = await later.service.resume(handle.id, "local");
    expect((await resumed.choices[0]!.result).text).toBe(answer("n0", 30));
    await later.service[Symbol.asyncDispose]();
  });
});

describe("storage", () => {
  test("a folder serves one server at a time; a dead one's lock is taken over (84)", async () => {
    const world = echoWorld();
    const { service } = await serveEcho(world, { folder });
    await expect(serveEcho(world, { folder })).rejects.toMatchObject({ code: "locked" });
    await service[Symbol.asyncDispose]();
    const dead = {
      pid: 2 ** 22 - 1,
      host: (await import("node:os")).hostname(),
      processStart: null,
      since: "then",
    };
    await writeFile(join(folder, "server.lock"), JSON.stringify(dead));
    const second = await serveEcho(world, { folder });
    expect(second.notices.join()).toContain("took over the lock");
    await second.service[Symbol.asyncDispose]();
  });

  test("a disk that takes nothing costs the record, never the answer (82)", async () => {
    const world = echoWorld();
    const { service, notices } = await serveEcho(world, { folder });
    // A file where the run's folder should be made stops root, too.
    await rm(folder, { recursive: true });
    await writeFile(folder, "");
    const handle = await service.submit(order(world));
    expect((await handle.choices[0]!.result).text).toBe(answer("n0", 4));
    expect(notices.join()).toContain("is not kept");
    expect(() => service.runs.facts(handle.id, "local")).toThrow(expect.objectContaining({ status: 410 }));
    await service[Symbol.asyncDispose]();
  });

  test("facts that cannot be read are left where they are, and said", async () => {
    const world = echoWorld();
    const first = await serveEcho(world, { folder });
    const handle = await first.service.submit(order(world));
    await handle.choices[0]!.result;
    await first.service[Symbol.asyncDispose]();
    await writeFile(join(folder, handle.id, "run.json"), '{"version":1,"id":"../../etc/passwd"}');
    const { service, notices } = await serveEcho(world, { folder });
    expect([...service.runs.list("local")]).toEqual([]);
    expect(notices.join()).toContain(handle.id);
    expect(await readdir(folder)).toContain(handle.id);
    await service[Symbol.asyncDispose]();
  });
});

describe("the engine's end", () => {
  test("fails the runs that use it, holds the next until its models answer, then carries it out", async () => {
    let isDown = false;
    const failure = new StepwrightError("engine-failed", "the engine's process was ended by SIGKILL");
    const world = echoWorld({
      delay: () => 0.01,
      fault: () => (isDown ? { kind: "throw", error: failure } : undefined),
    });
    const { service, notices } = await serveEcho(world, { folder });
    const running = await service.submit(order(world, { steps: 900 }));
    await until(() => world.live() > 0);
    isDown = true;
    await expect(running.choices[0]!.result).rejects.toMatchObject({ code: "engine-failed" });
    expect(service.runs.facts(running.id, "local")).toMatchObject({
      status: "failed",
      error: { code: "engine-failed" },
    });
    expect(service.state).toBe("restarting");
    const held = await service.submit(order(world));
    expect(service.load).toMatchObject({ running: 0, waiting: 1 });
    isDown = false;
    expect((await held.choices[0]!.result).finish).toBe("stop");
    expect(service.state).toBe("ready");
    expect(notices.join()).toContain("engine failed");
    await service[Symbol.asyncDispose]();
    expect(world.live()).toBe(0);
  });
});

describe("draining", () => {
  test("lets what runs finish, refuses what is new, and cuts what takes too long", async () => {
    const world = echoWorld(slow);
    const { service } = await serveEcho(world, { folder });
    const short = await service.submit(order(world, { steps: 10 }));
    const long = await service.submit(order(world, { steps: 900 }));
    const drained = service.drain(1);
    expect(service.state).toBe("draining");
    await expect(service.submit(order(world))).rejects.toMatchObject({ status: 503, code: "draining" });
    expect((await short.choices[0]!.result).finish).toBe("stop");
    await drained;
    expect((await long.choices[0]!.result).finish).toBe("abort");
    expect(service.runs.facts(long.id, "local").status).toBe("interrupted");
    await service[Symbol.asyncDispose]();
    expect(world.live()).toBe(0);
  });
});
