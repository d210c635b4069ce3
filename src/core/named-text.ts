/** `name?option=value&option=value`: something of a registry and its options, as one text. */
import { StepwrightError } from "./errors.js";
import type { Method } from "./method.js";
import { typedOptions } from "./option-text.js";
import type { Registry } from "./registry.js";
import { parseOptions } from "./run-request.js";

type Named = Pick<Method, "name" | "schema">;

/** Taken apart, percent-decoded and unchecked. Throws `invalid-option`. */
export function parseNamedText(text: string): { name: string; options: Record<string, string> } {
  const [, name = "", query] = /^([a-z][a-z0-9-]*)(?:\?(.*))?$/s.exec(text) ?? [];
  const options: Record<string, string> = Object.create(null);
  if (name === "") throw malformed(text);
  for (const pair of query ? query.split("&") : []) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, Math.max(0, equals));
    if (key === "" || Object.hasOwn(options, key)) throw malformed(text);
    options[key] = decoded(pair.slice(equals + 1), text);
  }
  return { name, options };
}

/** The entry that a text names, and its options with defaults filled in. Throws `unknown-name` or `invalid-option`. */
export async function namedEntry<Entry extends Named>(
  registry: Registry<Entry>,
  kind: string,
  text: string,
): Promise<{ entry: Entry; options: Record<string, unknown> }> {
  const { name, options } = parseNamedText(text);
  const entry = await registry.get(name);
  return { entry, options: parseOptions(entry, typedOptions(entry, options), kind) };
}

function decoded(value: string, text: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw malformed(text, cause);
  }
}

function malformed(text: string, cause?: unknown): StepwrightError {
  return new StepwrightError("invalid-option", `"${text}" names nothing`, {
    remedy: "write a name, and options behind it if need be: name?option=value&option=value",
    cause,
  });
}
