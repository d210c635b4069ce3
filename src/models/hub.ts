/**
 * Models from the Hugging Face hub, in the cache that its other tools share. Written on `fetch`: the hub's own
 * package (@huggingface/hub 2.17, 5 MB and two dependencies) neither resumes a download, checks its hash, reports
 * progress, nor stops on a signal.
 */
import { StepwrightError } from "../core/errors.js";
import { RepositoryCache } from "./hub-cache.js";
import { chooseFiles } from "./hub-choice.js";
import { type DownloadOptions, downloadBlob, type RemoteFile } from "./hub-download.js";
import { listFiles } from "./hub-listing.js";
import { failed } from "./hub-request.js";
import { type HubSettings, hubSettings } from "./hub-settings.js";
import { formatModelReference, type HubReference } from "./reference.js";

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
  const { commit, files } = await listFiles(settings, "models", reference, options);
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
