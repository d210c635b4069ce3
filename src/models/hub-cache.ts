/**
 * The cache folder of Hugging Face's tools, shared with them:
 * models--owner--name/{blobs/<hash>, refs/<revision>, snapshots/<commit>/<file> -> blob}.
 */
import { randomUUID } from "node:crypto";
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { type HubReference, isSafeFile } from "./reference.js";

export type RepositoryKind = "models" | "datasets";

export class RepositoryCache {
  readonly folder: string;

  constructor(cache: string, repository: string, kind: RepositoryKind = "models") {
    this.folder = join(cache, `${kind}--${repository.replace("/", "--")}`);
  }

  blob(hash: string): string {
    return join(this.folder, "blobs", hash);
  }

  snapshot(commit: string, file: string): string {
    return join(this.folder, "snapshots", commit, ...file.split("/"));
  }

  /** The commit a revision stood for when it was last downloaded. */
  async commitOf(revision: string): Promise<string | null> {
    if (isCommit(revision)) return revision;
    const text = await readFile(join(this.folder, "refs", revision), "utf8").catch(() => "");
    return isCommit(text.trim()) ? text.trim() : null;
  }

  async remember(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const path = join(this.folder, "refs", revision);
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, (temporary) => writeFile(temporary, commit));
  }

  /** Files of a snapshot that are there in full, with slashes between folders. */
  async files(commit: string): Promise<string[]> {
    const root = join(this.folder, "snapshots", commit);
    const entries = await readdir(root, { recursive: true }).catch(() => []);
    const files = entries.map((entry) => entry.replaceAll("\\", "/")).filter(isSafeFile);
    const present = await Promise.all(
      files.map(async (file) => (await stat(join(root, file)).catch(() => null))?.isFile() === true),
    );
    return files.filter((_, index) => present[index]).sort();
  }

  async commits(): Promise<string[]> {
    const names = await readdir(join(this.folder, "snapshots")).catch(() => []);
    return names.filter(isCommit).sort();
  }

  /** Lets a snapshot's file be the blob: a link, or a copy where links are not allowed (Windows). */
  async link(commit: string, file: string, hash: string): Promise<string> {
    const path = this.snapshot(commit, file);
    const target = relative(dirname(path), this.blob(hash));
    if ((await readlink(path).catch(() => null)) === target) return path;
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, (temporary) =>
      symlink(target, temporary).catch(() => copyFile(this.blob(hash), temporary)),
    );
    return path;
  }
}

export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** References to everything in the cache that looks like a repository. */
export async function cachedRepositories(cache: string): Promise<HubReference["repository"][]> {
  const names = await readdir(cache).catch(() => []);
  return names.flatMap((name) => {
    const match = /^models--([^/]+?)--([^/]+)$/.exec(name);
    return match ? [`${match[1]}/${match[2]}`] : [];
  });
}

async function replaceFile(path: string, write: (temporary: string) => Promise<unknown>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.temporary`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
