/** One set of settings out of layers: flag, environment, recipe, configuration file, default. */
import type { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { nearest } from "../core/registry.js";
import type { Given } from "./arguments.js";
import { expectation, type Flag } from "./flags.js";

export type Layer = ReadonlyMap<string, Given>;

/** `STEPWRIGHT_MAX_TOKENS` for `--max-tokens`. Other variables of that prefix are not settings. */
export function environmentLayer(
  flags: readonly Flag[],
  environment: Readonly<Record<string, string | undefined>>,
): Layer {
  const layer = new Map<string, Given>();
  for (const flag of flags) {
    const origin = `STEPWRIGHT_${flag.name.replaceAll("-", "_").toUpperCase()}`;
    const value = environment[origin];
    if (value !== undefined && value !== "") layer.set(flag.key, { value, origin });
  }
  return layer;
}

/** The first layer that gives a value wins. */
export function stack(...layers: readonly Layer[]): Layer {
  return new Map(layers.toReversed().flatMap((layer) => [...layer]));
}

/** Values of the right types, defaults filled in, or one message that names the place at fault. */
export function settle<Schema extends z.ZodObject>(
  schema: Schema,
  flags: readonly Flag[],
  layer: Layer,
): z.output<Schema> {
  const raw: Record<string, unknown> = {};
  for (const flag of flags) {
    const given = layer.get(flag.key);
    if (given) raw[flag.key] = convert(flag, given);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const flag = flags.find(({ key }) => key === issue.path[0]);
  const given = flag && layer.get(flag.key);
  if (!flag || !given)
    throw new StepwrightError("invalid-option", issue.message, { subject: issue.path.join(".") });
  const remedy = issue.code === "custom" ? (issue.params?.remedy as string | undefined) : undefined;
  if (flag.kind === "object" && issue.path.length > 1) {
    const within = issue.path.slice(1).join(".");
    throw new StepwrightError("invalid-option", `${given.origin}: ${within}: ${issue.message}`, {
      subject: given.origin,
    });
  }
  if (issue.code !== "custom") throw wrongValue(flag, given);
  throw new StepwrightError("invalid-option", `${given.origin}: ${issue.message}`, {
    subject: given.origin,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function convert(flag: Flag, given: Given): unknown {
  const { value } = given;
  if (flag.words?.some((word) => word === value)) return value;
  if (typeof value === "string") return convertText(flag, given, value);
  if (!isOfKind(flag, value)) throw wrongValue(flag, given);
  return value;
}

function isOfKind({ kind }: Flag, value: unknown): boolean {
  const isList = Array.isArray(value);
  if (kind === "list") return isList;
  return typeof value === (kind === "integer" ? "number" : kind) && value !== null && !isList;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function convertText(flag: Flag, given: Given, text: string): unknown {
  switch (flag.kind) {
    case "string":
      return text;
    case "list":
      return text.split(",").map((item) => item.trim());
    case "object": {
      const value = jsonOf(text);
      if (!isOfKind(flag, value)) throw wrongValue(flag, given);
      return value;
    }
    case "boolean":
      if (/^(true|1|yes|on)$/i.test(text)) return true;
      if (/^(false|0|no|off)$/i.test(text)) return false;
      throw wrongValue(flag, given);
    case "number":
    case "integer":
      if (!decimal.test(text.trim())) throw wrongValue(flag, given);
      return Number(text);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function wrongValue(flag: Flag, given: Given): StepwrightError {
  const shown = typeof given.value === "string" ? `"${given.value}"` : JSON.stringify(given.value);
  const near = flag.values && typeof given.value === "string" ? nearest(given.value, flag.values) : undefined;
  return new StepwrightError("invalid-option", `${given.origin} must be ${expectation(flag)}, not ${shown}`, {
    subject: given.origin,
    ...(near ? { remedy: `did you mean "${near}"?` } : {}),
  });
}
