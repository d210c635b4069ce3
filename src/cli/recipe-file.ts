/**
 * A recipe: what a published number starts from. YAML whose keys are the flags of `bench`, and `options`, the options
 * of the last method in `method`; a list of values is a sweep.
 */
import { readFile } from "node:fs/promises";
import { StepwrightError } from "../core/errors.js";
import { nearest } from "../core/registry.js";
import type { Given } from "./arguments.js";
import type { Flag } from "./flags.js";
import type { Layer } from "./settings.js";
import { parseYaml } from "./yaml-text.js";

/** Recipes are ten lines: a larger file is not one. */
const sizeLimit = 1024 * 1024;

/** Throws `invalid-option`, naming the file and the key. `lenient` passes over unknown keys. */
export async function recipeLayer(path: string, flags: readonly Flag[], lenient = false): Promise<Layer> {
  const { options, ...entries } = await readRecipe(path);
  const layer = new Map<string, Given>();
  for (const [name, value] of Object.entries(entries)) {
    const flag = flags.find((candidate) => candidate.name === name);
    if (flag) layer.set(flag.key, { value, origin: `${path}: "${name}"` });
    else if (!lenient) throw unknownKey(path, name, flags);
  }
  if (options !== undefined) {
    const method = withOptions(path, entries.method, options);
    layer.set("method", { value: method, origin: `${path}: "options"` });
  }
  return layer;
}

async function readRecipe(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw invalid(path, missing ? "no such file" : "cannot be read", "check the path given to --recipe");
  }
  if (text.length > sizeLimit) throw invalid(path, "is larger than 1 MiB", "give a recipe");
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    throw invalid(path, (cause as Error).message, "write it as `key: value` lines, without aliases");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(path, "must hold `key: value` lines", "see docs/bench.md, Recipes");
  }
  return value as Record<string, unknown>;
}

function withOptions(path: string, method: unknown, options: unknown): string {
  if (typeof method !== "string" || method.trim() === "") {
    throw invalid(path, '"options" need a "method" that they belong to', "write method: rsd");
  }
  const last = method.split(",").at(-1)!;
  if (last.includes(":")) {
    throw invalid(path, `"${last.trim()}" has options already`, 'put all of them under "options"');
  }
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalid(path, '"options" must be `name: value` lines', "write options: {threshold: 0.7}");
  }
  const listed = Object.entries(options).map(
    ([name, value]) =>
      `${name}=${[value]
        .flat()
        .map((one) => optionText(path, name, one))
        .join("|")}`,
  );
  return listed.length === 0 ? method : `${method}:${listed.join(";")}`;
}

function optionText(path: string, name: string, value: unknown): string {
  const isPlain = typeof value === "number" || typeof value === "boolean" || typeof value === "string";
  const text = String(value);
  // These separate options on the command line.
  if (isPlain && text !== "" && !/[;,]/.test(text)) return text;
  throw invalid(
    path,
    `option "${name}" must be a number, a word or a list of these`,
    "see stepwright methods",
  );
}

function unknownKey(path: string, name: string, flags: readonly Flag[]): StepwrightError {
  const near = nearest(name.replaceAll("_", "-"), [...flags.map((flag) => flag.name), "options"]);
  return invalid(
    path,
    `unknown key "${name}"`,
    near ? `did you mean "${near}"?` : "keys are the flags of bench, and options",
  );
}

function invalid(path: string, message: string, remedy: string): StepwrightError {
  return new StepwrightError("invalid-option", `${path}: ${message}`, { subject: path, remedy });
}
