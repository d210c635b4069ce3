/** Case 84: two processes on one folder or file. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorOf } from "../testing/bench-world.js";
import { takeLock } from "./process-lock.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-lock-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const words = { what: "this folder", remedy: "choose another" };
const path = () => join(folder, "lock");
const write = (holder: object) => writeFile(path(), JSON.stringify(holder));
const since = "2026-01-01T00:00:00.000Z";

test("a lock keeps others out until it is given back", async () => {
  const first = await takeLock(path(), words);
  expect(first.notice).toBeNull();
  const error = await errorOf(takeLock(path(), words));
  expect(error.code).toBe("locked");
  expect(error.message).toContain(`process ${process.pid}`);
  await first[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual([]);
});

test("the lock of a process that is gone is taken over", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  await write({ pid, host: hostname(), processStart: null, since });
  const lock = await takeLock(path(), words);
  expect(lock.notice).toContain(`process ${pid}, which is gone`);
  await lock[Symbol.asyncDispose]();
});

test("a process id that was given out again is not mistaken for the holder", async () => {
  await using mine = await takeLock(path(), words);
  const { processStart } = JSON.parse(await readFile(path(), "utf8"));
  expect(mine.notice).toBeNull();
  if (processStart === null) return;
  await write({ pid: process.pid, host: hostname(), processStart: "another boot/1", since });
  const lock = await takeLock(path(), words);
  expect(lock.notice).not.toBeNull();
  await lock[Symbol.asyncDispose]();
});

test("the lock of another machine is left alone", async () => {
  await write({ pid: 1, host: `not-${hostname()}`, processStart: null, since });
  const error = await errorOf(takeLock(path(), words));
  expect(error.code).toBe("locked");
  expect(error.message).toContain(`not-${hostname()}`);
  await rm(path());
});

test("rubbish in its place is taken over", async () => {
  await writeFile(path(), "{");
  const lock = await takeLock(path(), words);
  expect(lock.notice).toContain("died while taking it");
  await lock[Symbol.asyncDispose]();
});

test("of many that try at once over a dead lock, one gets it", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  await write({ pid, host: hostname(), processStart: null, since });
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(path(), words)));
  const taken = tries.filter((attempt) => attempt.status === "fulfilled");
  expect(taken).toHaveLength(1);
  await taken[0]!.value[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual([]);
});
