/**
 * A configuration file: JSON or YAML whose keys are the long flags without their dashes. `include` names one or more
 * files, relative to the one that includes them; the including file wins over what it includes.
 */
import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { nearest } from "../core/registry.js";
import type { Given } from "./arguments.js";
import type { Flag } from "./flags.js";
import type { Layer } from "./settings.js";
import { parseYaml } from "./yaml-text.js";

/** Settings are short: a larger file is not one of ours. */
const sizeLimit = 1024 * 1024;

/** `lenient` passes over unknown keys: the first look, before it is known which flags there are. */
export function configLayer(path: string, flags: readonly Flag[], lenient = false): Promise<Layer> {
  return readConfig(path, flags, lenient, []);
}

async function readConfig(
  path: string,
  flags: readonly Flag[],
  lenient: boolean,
  includedBy: readonly string[],
): Promise<Map<string, Given>> {
  if (includedBy.includes(path)) {
    throw invalid(
      path,
      `includes itself: ${[...includedBy, path].join(" -> ")}`,
      "remove one of these includes",
    );
  }
  const { include, ...entries } = await readObject(path);
  const layer = new Map<string, Given>();
  for (const name of includeNames(path, include)) {
    const included = resolve(dirname(path), name);
    for (const [key, given] of await readConfig(included, flags, lenient, [...includedBy, path])) {
      layer.set(key, given);
    }
  }
  for (const [name, value] of Object.entries(entries)) {
    const flag = flags.find((candidate) => candidate.name === name);
    if (flag) layer.set(flag.key, { value, origin: `${path}: "${name}"` });
    else if (!lenient) throw unknownKey(path, name, flags);
  }
  return layer;
}

async function readObject(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw invalid(
      path,
      missing ? "no such file" : "cannot be read",
      "check the path given to --config",
      cause,
    );
  }
  if (text.length > sizeLimit) throw invalid(path, "is larger than 1 MiB", "give a file of settings");
  let value: unknown;
  try {
    value = isYaml(path) ? parseYaml(text) : JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw invalid(path, `is not ${formOf(path)}: ${(cause as Error).message}`, exampleOf(path), cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(path, `must hold one ${formOf(path)} object`, exampleOf(path));
  }
  return value as Record<string, unknown>;
}

function formOf(path: string): "JSON" | "YAML" {
  return isYaml(path) ? "YAML" : "JSON";
}

function isYaml(path: string): boolean {
  return [".yaml", ".yml"].includes(extname(path).toLowerCase());
}

function exampleOf(path: string): string {
  return isYaml(path) ? "write it as `method: rsd` lines" : 'write it as {"method": "rsd", ...}';
}

function includeNames(path: string, include: unknown): string[] {
  if (include === undefined) return [];
  const names = Array.isArray(include) ? include : [include];
  if (names.every((name): name is string => typeof name === "string" && name !== "")) return names;
  throw invalid(path, '"include" must be a file name or a list of them', 'write "include": "base.json"');
}

function unknownKey(path: string, name: string, flags: readonly Flag[]): StepwrightError {
  const names = [...flags.map((flag) => flag.name), "include"];
  const near = nearest(name.replaceAll("_", "-"), names);
  return invalid(
    path,
    `unknown key "${name}"`,
    near ? `did you mean "${near}"?` : "keys are the long flags; see --help",
  );
}

function invalid(path: string, message: string, remedy: string, cause?: unknown): StepwrightError {
  return new StepwrightError("invalid-option", `${path}: ${message}`, { subject: path, remedy, cause });
}
