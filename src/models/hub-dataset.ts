/** Files of data sets from the Hugging Face hub, in the cache that its other tools share. */

import type { PullOptions } from "./hub.js";
import { RepositoryCache } from "./hub-cache.js";
import { downloadBlob, type RemoteFile } from "./hub-download.js";
import { listFiles } from "./hub-listing.js";
import { failed } from "./hub-request.js";
import { type HubSettings, hubSettings } from "./hub-settings.js";

export interface DatasetFile {
  /** `owner/name`. */
  readonly repository: string;
  readonly file: string;
}

export interface PulledDataset {
  readonly path: string;
  readonly commit: string;
  readonly file: RemoteFile;
}

const revision = "main";

/**
 * Brings a data set's file into the cache, or finds it there; checked against the hub's hash. Throws
 * `download-failed`, `storage-failed` or `aborted`; what was downloaded is kept and resumed by the next call.
 */
export async function pullDataset(
  { repository, file }: DatasetFile,
  options: PullOptions = {},
): Promise<PulledDataset> {
  const settings = options.settings ?? hubSettings();
  if (options.offline ?? settings.offline) {
    throw failed("downloads are switched off", "leave out --offline and unset HF_HUB_OFFLINE");
  }
  const { commit, files } = await listFiles(settings, "datasets", { repository, revision }, options);
  const found = files.get(chooseFile(file, [...files.keys()]) ?? "");
  if (!found) {
    throw failed(
      `the data set ${repository} has no file ${file} any more, nor one that could be it`,
      "download it by hand, and give it to bench as --task FILE.jsonl",
    );
  }
  const cache = new RepositoryCache(settings.cache, repository, "datasets");
  const address = `datasets/${repository}/resolve/${commit}/${found.path}`;
  await downloadBlob(settings, address, found, cache.blob(found.hash.value), {
    ...options,
    onBytes: (bytes) => options.onProgress?.({ file: found.path, bytes, totalBytes: found.size }),
  });
  const path = await cache.link(commit, found.path, found.hash.value);
  // Last, so that a revision never points at a file that is not there.
  await cache.remember(revision, commit);
  return { path, commit, file: found };
}

/** The path of a file in the cache, without the network; undefined if it was never pulled. */
export async function findDataset(
  { repository, file }: DatasetFile,
  settings: HubSettings = hubSettings(),
): Promise<string | undefined> {
  const cache = new RepositoryCache(settings.cache, repository, "datasets");
  const commit = await cache.commitOf(revision);
  const chosen = commit === null ? undefined : chooseFile(file, await cache.files(commit));
  return chosen === undefined ? undefined : cache.snapshot(commit!, chosen);
}

/**
 * The file as it is known, or, where a data set was laid out anew, its only test file in a form that can be read, or
 * its only file in such a form.
 */
function chooseFile(known: string, files: readonly string[]): string | undefined {
  if (files.includes(known)) return known;
  const readable = files.filter((file) => /\.(jsonl?|csv|parquet)$/i.test(file));
  const tests = readable.filter((file) => /test[^/]*$/i.test(file));
  const candidates = tests.length > 0 ? tests : readable;
  return candidates.length === 1 ? candidates[0] : undefined;
}
