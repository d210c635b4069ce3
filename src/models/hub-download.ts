/** Downloads one blob: resumed where it was cut, checked against the hub's own hash, put in place whole or not at all. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from "node:fs/promises";
import { dirname } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { withLock } from "./hub-lock.js";
import { failed, PassingFailure, request } from "./hub-request.js";
import { type RetryOptions, retry } from "./hub-retry.js";
import type { HubSettings } from "./hub-settings.js";
import { Stall } from "./hub-stall.js";

export interface RemoteFile {
  /** Path inside the repository. */
  readonly path: string;
  readonly size: number;
  /** `sha256` of large files; small ones have git's own hash of the blob, a SHA-1. */
  readonly hash: { readonly kind: "sha256" | "git"; readonly value: string };
}

export interface DownloadOptions extends RetryOptions {
  /** Bytes of this file that are on disk. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Seconds without a byte after which the connection is given up and made again; default 60. */
  readonly stallSeconds?: number;
}

/**
 * Brings `file` to the path `blob`. An abort or a fault leaves `<blob>.stepwright-part`, which the next call goes on
 * with. Throws `download-failed`, `storage-failed` or `aborted`.
 */
export async function downloadBlob(
  settings: HubSettings,
  address: string,
  file: RemoteFile,
  blob: string,
  options: DownloadOptions = {},
): Promise<void> {
  await mkdir(dirname(blob), { recursive: true });
  await withLock(
    `${blob}.stepwright-lock`,
    async () => {
      // Another process may have brought it while this one waited.
      if ((await sizeOf(blob)) === file.size) return options.onBytes?.(file.size);
      await checkSpace(blob, file.size);
      const isResumed = (await sizeOf(`${blob}.stepwright-part`)) > 0;
      if (await fetchPart(settings, address, file, blob, options)) return;
      // What was kept from before may be at fault: once more from the beginning.
      if (isResumed && (await fetchPart(settings, address, file, blob, options))) return;
      throw failed(
        `${file.path} arrived with another checksum than the hub lists`,
        "try again; if it happens again, a proxy or the hub changes the file",
      );
    },
    options.signal,
  );
}

/** False if all bytes arrived and their hash is wrong; the part is gone then. */
async function fetchPart(
  settings: HubSettings,
  address: string,
  file: RemoteFile,
  blob: string,
  options: DownloadOptions,
): Promise<boolean> {
  const path = `${blob}.stepwright-part`;
  const part = await Part.open(path, file);
  try {
    options.onBytes?.(part.length);
    await retry(
      () => part.fetchRest(settings, address, options),
      () => part.length,
      options,
    );
    await part.handle.sync();
  } finally {
    await part.handle.close();
  }
  if (part.digest() !== file.hash.value) {
    await rm(path, { force: true });
    await rm(`${path}.etag`, { force: true });
    return false;
  }
  await rename(path, blob);
  await rm(`${path}.etag`, { force: true });
  return true;
}

/** The beginning of a file on disk, its hash kept along. */
class Part {
  length = 0;
  #hash: Hash;

  private constructor(
    readonly path: string,
    readonly file: RemoteFile,
    readonly handle: FileHandle,
  ) {
    this.#hash = newHash(file);
  }

  static async open(path: string, file: RemoteFile): Promise<Part> {
    // Opened for writing without truncation; made if missing.
    const handle = await open(path, "a").then(async (made) => {
      await made.close();
      return open(path, "r+");
    });
    const part = new Part(path, file, handle);
    if ((await handle.stat()).size > file.size) await part.restart();
    else await part.#hashExisting();
    return part;
  }

  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  async fetchRest(settings: HubSettings, address: string, options: DownloadOptions): Promise<void> {
    if (this.length === this.file.size) return;
    const stall = new Stall(options.stallSeconds ?? 60, options.signal);
    try {
      const response = await request(settings, address, {
        headers: await this.#rangeHeaders(),
        signal: stall.signal,
        accepts: [416],
      });
      await this.#begin(response);
      for await (const chunk of response.body ?? []) {
        stall.renew();
        await this.#append(chunk);
        options.onBytes?.(this.length);
      }
    } catch (error) {
      if (StepwrightError.is(error) || error instanceof PassingFailure) throw error;
      if (
        (error as { code?: string }).code?.startsWith("E") &&
        (error as { syscall?: string }).syscall === "write"
      ) {
        throw new StepwrightError("storage-failed", `${this.path} cannot be written`, {
          remedy: "free space on the disk, or set HF_HUB_CACHE to a folder on another",
          cause: error,
        });
      }
      throw new PassingFailure(
        `the connection was cut after ${this.length} of ${this.file.size} bytes`,
        null,
        error,
      );
    } finally {
      stall.end();
    }
    if (this.length < this.file.size) {
      throw new PassingFailure(
        `the connection was cut after ${this.length} of ${this.file.size} bytes`,
        null,
      );
    }
  }

  async #rangeHeaders(): Promise<Record<string, string>> {
    // Compressed transfers count other bytes than the file's.
    const plain = { "accept-encoding": "identity" };
    if (this.length === 0) return plain;
    const etag = await readFile(`${this.path}.etag`, "utf8").catch(() => "");
    return { ...plain, range: `bytes=${this.length}-`, ...(etag === "" ? {} : { "if-range": etag }) };
  }

  /** Goes on where the answer begins: at our end, or at the file's beginning if the server sends all of it. */
  async #begin(response: Response): Promise<void> {
    if (response.status === 206) {
      const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
      if (Number(start) === this.length) return;
    }
    await this.restart();
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new PassingFailure("the server sent another range than was asked for", 0);
    }
    const etag = response.headers.get("etag") ?? "";
    // A weak tag may not be used to resume.
    if (etag !== "" && !etag.startsWith("W/")) await writeFile(`${this.path}.etag`, etag);
    else await rm(`${this.path}.etag`, { force: true });
  }

  async #append(chunk: Uint8Array): Promise<void> {
    if (this.length + chunk.length > this.file.size) {
      await this.restart();
      throw failed(`${this.file.path} is longer than the hub lists`, "try again later");
    }
    await this.handle.write(chunk, 0, chunk.length, this.length);
    this.#hash.update(chunk);
    this.length += chunk.length;
  }

  async restart(): Promise<void> {
    await this.handle.truncate(0);
    this.length = 0;
    this.#hash = newHash(this.file);
  }

  async #hashExisting(): Promise<void> {
    for await (const chunk of createReadStream(this.path)) {
      this.#hash.update(chunk as Buffer);
      this.length += (chunk as Buffer).length;
    }
  }
}

function newHash(file: RemoteFile): Hash {
  if (file.hash.kind === "sha256") return createHash("sha256");
  return createHash("sha1").update(`blob ${file.size}\0`);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

async function checkSpace(blob: string, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(blob));
  const missing = size - (await sizeOf(`${blob}.stepwright-part`));
  if (bavail * bsize >= missing) return;
  throw new StepwrightError(
    "storage-failed",
    `the download needs ${missing} bytes, the disk has ${bavail * bsize} left`,
    {
      subject: dirname(blob),
      remedy: "free space, or set HF_HUB_CACHE to a folder on another disk",
    },
  );
}
