/** What a repository of the hub holds: every file with its size and hash. */
import { isCommit, type RepositoryKind } from "./hub-cache.js";
import type { RemoteFile } from "./hub-download.js";
import { failed, request } from "./hub-request.js";
import { type RetryOptions, retry } from "./hub-retry.js";
import type { HubSettings } from "./hub-settings.js";
import { type HubReference, isSafeFile } from "./reference.js";

/** The commit that a revision stands for, and its files by path. Throws `download-failed`. */
export async function listFiles(
  settings: HubSettings,
  kind: RepositoryKind,
  reference: Pick<HubReference, "repository" | "revision">,
  options: RetryOptions,
): Promise<{ commit: string; files: Map<string, RemoteFile> }> {
  const path = `api/${kind}/${reference.repository}/revision/${encodeURIComponent(reference.revision)}?blobs=true`;
  const listing = await retry(
    async () => readListing(await request(settings, path, { signal: options.signal })),
    () => 0,
    options,
  );
  if (listing === null) throw failed("the hub's list of files cannot be read", "check HF_ENDPOINT");
  return listing;
}

const longestListing = 64 * 2 ** 20;

async function readListing(
  response: Response,
): Promise<{ commit: string; files: Map<string, RemoteFile> } | null> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestListing) return null;
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  const { sha, siblings } = (data ?? {}) as { sha?: unknown; siblings?: unknown };
  if (typeof sha !== "string" || !isCommit(sha) || !Array.isArray(siblings)) return null;
  const files = new Map<string, RemoteFile>();
  for (const sibling of siblings) {
    const file = remoteFile(sibling);
    if (file) files.set(file.path, file);
  }
  return { commit: sha, files };
}

/** A file of the list; undefined for one whose name, size or hash could not be used safely. */
function remoteFile(sibling: unknown): RemoteFile | undefined {
  const { rfilename, size, blobId, lfs } = (sibling ?? {}) as Record<string, unknown>;
  if (typeof rfilename !== "string" || !isSafeFile(rfilename)) return undefined;
  const { sha256, size: largeSize } = (lfs ?? {}) as Record<string, unknown>;
  const bytes = largeSize ?? size;
  if (!Number.isSafeInteger(bytes) || (bytes as number) <= 0) return undefined;
  if (typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256)) {
    return { path: rfilename, size: bytes as number, hash: { kind: "sha256", value: sha256 } };
  }
  if (lfs === undefined && typeof blobId === "string" && isCommit(blobId)) {
    return { path: rfilename, size: bytes as number, hash: { kind: "git", value: blobId } };
  }
  return undefined;
}
