/**
 * Models from the Hugging Face hub, in the cache that its other tools share. Written on `fetch`: the hub's own
 * package (@huggingface/hub 2.17, 5 MB and two dependencies) neither resumes a download, checks its hash, reports
 * progress, nor stops on a signal.
 */
import { StepwrightError } from "../core/errors.js";
import { isCommit, RepositoryCache } from "./hub-cache.js";
import { chooseFiles } from "./hub-choice.js";
import { type DownloadOptions, downloadBlob, type RemoteFile } from "./hub-download.js";
import { failed, request } from "./hub-request.js";
import { type RetryOptions, retry } from "./hub-retry.js";
import { type HubSettings, hubSettings } from "./hub-settings.js";
import { formatModelReference, type HubReference, isSafeFile } from "./reference.js";

export interface PullProgress {
  /** Path inside the repository of the file that is coming. */
  readonly file: string;
  /** Bytes of the whole pull on disk, over all parts of a split model. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface PullOptions extends Omit<DownloadOptions, "onBytes"> {
  readonly settings?: HubSettings;
  readonly offline?: boolean;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
}

export interface PulledModel {
  /** Path of the file to open: the first part of a split model. */
  readonly path: string;
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/**
 * Brings a model into the cache, or finds it there. Throws `model-not-found` (no such file or quantization),
 * `download-failed`, `storage-failed` or `aborted`; a part that was downloaded is kept and resumed by the next call.
 */
export async function pullModel(reference: HubReference, options: PullOptions = {}): Promise<PulledModel> {
  const settings = options.settings ?? hubSettings();
  if (options.offline ?? settings.offline) {
    throw failed("downloads are switched off", "leave out --offline and unset HF_HUB_OFFLINE");
  }
  const { commit, files } = await listFiles(settings, reference, options);
  const chosen = chooseFiles(reference, [...files.keys()]).map((path) => files.get(path)!);
  const cache = new RepositoryCache(settings.cache, reference.repository);
  const totalBytes = chosen.reduce((sum, { size }) => sum + size, 0);
  const paths: string[] = [];
  let before = 0;
  for (const file of chosen) {
    const address = `${reference.repository}/resolve/${commit}/${file.path}`;
    await downloadBlob(settings, address, file, cache.blob(file.hash.value), {
      ...options,
      onBytes: (bytes) => options.onProgress?.({ file: file.path, bytes: before + bytes, totalBytes }),
    });
    before += file.size;
    paths.push(await cache.link(commit, file.path, file.hash.value));
  }
  // Last, so that a revision never points at a model that is not there.
  await cache.remember(reference.revision, commit);
  return { path: paths[0]!, commit, files: chosen };
}

/** The path of a model in the cache, without the network. Throws `model-not-found` with the command that brings it. */
export async function findCached(reference: HubReference, settings = hubSettings()): Promise<string> {
  const cache = new RepositoryCache(settings.cache, reference.repository);
  const commit = await cache.commitOf(reference.revision);
  const files = commit === null ? [] : await cache.files(commit);
  try {
    return cache.snapshot(commit!, chooseFiles(reference, files)[0]!);
  } catch (error) {
    if (!StepwrightError.is(error, "model-not-found")) throw error;
    const name = formatModelReference(reference);
    const isAmbiguous = /several files/.test(error.message);
    throw new StepwrightError(
      "model-not-found",
      isAmbiguous ? error.message : `${name} is not downloaded yet`,
      {
        subject: name,
        remedy: isAmbiguous ? error.remedy! : `stepwright models pull ${name}`,
      },
    );
  }
}

async function listFiles(
  settings: HubSettings,
  reference: HubReference,
  options: RetryOptions,
): Promise<{ commit: string; files: Map<string, RemoteFile> }> {
  const path = `api/models/${reference.repository}/revision/${encodeURIComponent(reference.revision)}?blobs=true`;
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
