/** One process at a time at a folder or file. The lock of a process that is gone is taken over. */
import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { StepwrightError } from "./errors.js";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, where the system tells: a process id alone may have been given out again. */
  readonly processStart: string | null;
  /** When the lock was taken. */
  readonly since: string;
}

export interface ProcessLock extends AsyncDisposable {
  /** Set when the lock of a dead process was taken over. */
  readonly notice: string | null;
}

/** What the lock is for, in the words of its errors. */
export interface LockWords {
  /** "this bench folder" */
  readonly what: string;
  /** What to do but wait: "choose another --out". */
  readonly remedy: string;
}

/** Takes the lock file at `path`. Throws `locked` while another process holds it, `storage-failed` where none can be made. */
export async function takeLock(path: string, words: LockWords): Promise<ProcessLock> {
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    processStart: await processStart(process.pid),
    since: new Date().toISOString(),
  };
  const text = `${JSON.stringify({ ...mine, token: randomUUID() })}\n`;
  let notice: string | null = null;
  while (!(await make(path, text, words))) {
    const found = await readFile(path, "utf8").catch(() => null);
    // Released just now.
    if (found === null) continue;
    const holder = holderOf(found);
    if (holder && (await isAlive(holder))) throw locked(path, holder, words);
    if (await removeIfStill(path, found)) {
      const whose = holder ? `process ${holder.pid}, which is gone` : "a process that died while taking it";
      notice = `took over the lock of ${whose}`;
    }
  }
  return { notice, [Symbol.asyncDispose]: async () => void (await removeIfStill(path, text)) };
}

async function make(path: string, text: string, { what, remedy }: LockWords): Promise<boolean> {
  // Linked into place whole: nobody ever reads a half-written lock.
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new StepwrightError("storage-failed", `${what} cannot be locked: ${(error as Error).message}`, {
      subject: path,
      remedy,
      cause: error,
    });
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** Of several that want it gone, one removes it; a lock that is another's by now is put back. */
async function removeIfStill(path: string, text: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return false;
  }
  const isSame = (await readFile(aside, "utf8").catch(() => "")) === text;
  if (!isSame) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  return isSame;
}

function holderOf(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    return Number.isSafeInteger(holder.pid) && typeof holder.host === "string"
      ? (holder as Holder)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What runs on another machine cannot be asked: it is taken for alive. */
async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const start = await processStart(holder.pid);
  return start === null || holder.processStart === null || start === holder.processStart;
}

/** Field 22 of Linux's stat, in clock ticks since boot, with the boot's own id; null on other systems. */
async function processStart(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    // The second field is the program's name in brackets, which may hold anything.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined ? null : `${boot}/${ticks}`;
  } catch {
    return null;
  }
}

function locked(path: string, { pid, host, since }: Holder, { what, remedy }: LockWords): StepwrightError {
  const where = host === hostname() ? "" : ` on ${host}`;
  return new StepwrightError("locked", `process ${pid}${where} works on ${what} since ${since}`, {
    subject: path,
    remedy: `wait for it, stop it, or ${remedy}; if that machine is gone, remove the lock file`,
  });
}
