/** One download of a file at a time, among all processes that share the cache. */
import { randomUUID } from "node:crypto";
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { throwIfAborted } from "../core/errors.js";

const beatMilliseconds = 5000;
/** A lock whose holder has not touched it for so long is dead, or on a machine that is. */
const staleMilliseconds = 60_000;
const pollMilliseconds = 100;

/** Holds the lock file at `path` while `work` runs; waits while another process holds it. */
export async function withLock<Result>(
  path: string,
  work: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  while (!(await take(path))) {
    throwIfAborted(signal);
    await wait(pollMilliseconds);
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, beatMilliseconds).unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
  }
  if (await isStale(path)) {
    // Of several that see it stale, renaming lets one remove it.
    const aside = `${path}.${randomUUID()}`;
    await rename(path, aside).catch(() => undefined);
    await rm(aside, { force: true });
  }
  return false;
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [{ mtimeMs }, text] = await Promise.all([stat(path), readFile(path, "utf8")]);
    if (Date.now() - mtimeMs > staleMilliseconds) return true;
    const { pid, host } = JSON.parse(text) as { pid: unknown; host: unknown };
    return host === hostname() && typeof pid === "number" && !isAlive(pid);
  } catch {
    // Just removed, or not yet written in full.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
