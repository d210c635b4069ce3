/** Model files on this machine, and how references find them. */
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ErrorData, StepwrightError } from "../core/errors.js";
import { unknownName } from "../core/registry.js";
import { checkModelFile, type ModelFile } from "./gguf/check.js";
import { findCached } from "./hub.js";
import { cachedRepositories, RepositoryCache } from "./hub-cache.js";
import { type HubSettings, hubSettings } from "./hub-settings.js";
import { formatModelReference, type ModelReference, parseModelReference } from "./reference.js";

export interface LocalModel {
  /** What to write to use it: a hub reference, or a path. */
  readonly reference: string;
  readonly path: string;
  readonly bytes: number;
  /** What its header says, or why it cannot be used. */
  readonly model: ModelFile | null;
  readonly error: ErrorData | null;
}

/**
 * The path of the model file that a reference names; loads and downloads nothing. A plain file name that is not in
 * the working folder is looked for in the folders of STEPWRIGHT_MODELS. Throws `model-not-found` with what to do.
 */
export async function resolveModelFile(
  reference: ModelReference | string,
  settings: HubSettings = hubSettings(),
): Promise<string> {
  const parsed = typeof reference === "string" ? parseModelReference(reference) : reference;
  switch (parsed.kind) {
    case "hub":
      return findCached(parsed, settings);
    case "file": {
      const isPlainName = basename(parsed.path) === parsed.path;
      for (const path of [
        parsed.path,
        ...(isPlainName ? settings.folders.map((folder) => join(folder, parsed.path)) : []),
      ]) {
        if (await exists(path)) return path;
      }
      throw new StepwrightError("model-not-found", `there is no model file ${parsed.path}`, {
        subject: parsed.path,
        remedy: "check the path, or see `stepwright models list`",
      });
    }
    case "lab":
      return labFile(parsed.name);
    case "graph":
      return resolveModelFile(parsed.model, settings);
    case "remote":
      throw new StepwrightError("model-not-found", `${formatModelReference(parsed)} is not a model file`, {
        subject: formatModelReference(parsed),
        remedy: "give a path to a .gguf file or hf:owner/repository:quant",
      });
  }
}

/** The models and heads that come with this package. */
const labFolder = fileURLToPath(new URL("../../lab/models/", import.meta.url));

/** Throws `unknown-name`, or `model-not-found` where the package came without its models. */
async function labFile(name: string): Promise<string> {
  const files = (await readdir(labFolder).catch(() => [])).filter((file) =>
    /\.(gguf|safetensors)$/.test(file),
  );
  const names = files.map((file) => file.replace(/\.[a-z]+$/, ""));
  const file = files[names.indexOf(name)];
  if (file !== undefined) return join(labFolder, file);
  if (names.length > 0) throw unknownName("lab model", name, names);
  throw new StepwrightError("model-not-found", "the lab's models are not in this copy of stepwright", {
    subject: `lab:${name}`,
    remedy: "make them: stepwright train lab",
  });
}

/** Every model in the hub's cache and in the model folders, each file once, with what its header says. */
export async function listModels(settings: HubSettings = hubSettings()): Promise<LocalModel[]> {
  const found = new Map<string, { reference: string; path: string }>();
  const add = async (reference: string, path: string) => {
    const place = await realpath(path);
    if (!found.has(place)) found.set(place, { reference, path });
  };
  for (const repository of await cachedRepositories(settings.cache)) {
    const cache = new RepositoryCache(settings.cache, repository);
    const main = await cache.commitOf("main");
    for (const commit of await cache.commits()) {
      const revision = commit === main ? "" : `@${commit}`;
      for (const file of (await cache.files(commit)).filter(isModel)) {
        await add(`hf:${repository}${revision}/${file}`, cache.snapshot(commit, file));
      }
    }
  }
  for (const folder of settings.folders) {
    for (const file of (await readdir(folder, { recursive: true }).catch(() => [])).filter(isModel)) {
      if (await exists(join(folder, file))) await add(join(folder, file), join(folder, file));
    }
  }
  const models: LocalModel[] = [];
  for (const { reference, path } of found.values()) models.push(await describe(reference, path));
  return models.sort((one, other) => one.reference.localeCompare(other.reference));
}

async function describe(reference: string, path: string): Promise<LocalModel> {
  try {
    const model = await checkModelFile(path);
    return {
      reference,
      path,
      bytes: model.parts.reduce((sum, part) => sum + part.bytes, 0),
      model,
      error: null,
    };
  } catch (error) {
    const { size } = await stat(path);
    return { reference, path, bytes: size, model: null, error: StepwrightError.from(error).toJSON() };
  }
}

/** A model's file; of a split model the first. */
function isModel(file: string): boolean {
  const part = /-(\d{5})-of-\d{5}\.gguf$/i.exec(file)?.[1];
  return /\.gguf$/i.test(file) && (part === undefined || Number(part) === 1);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
