/** Flags are derived from zod schemas: a field's name, type, default, limits and description are said once. */
import { z } from "zod";

/** `object` is JSON on the command line, and nested keys in a configuration file. */
export type FlagKind = "boolean" | "string" | "number" | "integer" | "list" | "object";

export interface Flag {
  /** The schema's key. */
  readonly key: string;
  /** As it is typed, without the dashes. */
  readonly name: string;
  readonly kind: FlagKind;
  readonly description: string;
  /** What stands for the value in help texts. */
  readonly placeholder: string;
  readonly group: string;
  readonly values?: readonly string[];
  /** Taken beside what the kind says, such as "auto" in place of a number. */
  readonly words?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly initial?: unknown;
}

/** Every command has it. */
export const helpFlag: Flag = {
  key: "help",
  name: "help",
  kind: "boolean",
  description: "Show this text.",
  placeholder: "",
  group: "Flags",
};

/** What a field may say about its flag: `z.string().meta({ placeholder: "FILE", group: "Output" })`. */
interface Property {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Property[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly placeholder?: string;
  readonly group?: string;
}

export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function flagsOf(schema: z.ZodObject, group = "Flags"): Flag[] {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries((json.properties ?? {}) as Record<string, Property>).map(([key, property]) =>
    flagOf(key, property, group),
  );
}

/** Where words stand beside another type, that type with its limits is what the flag takes, and the words beside it. */
function withoutWords(property: Property): { plain: Property; words: readonly string[] } {
  const { anyOf = [], ...own } = property;
  const words = anyOf.flatMap((one) => (typeof one.const === "string" ? [one.const] : []));
  const others = anyOf.filter((one) => typeof one.const !== "string");
  return { plain: { ...own, ...(others.length === 1 && others[0]) }, words };
}

function flagOf(key: string, given: Property, group: string): Flag {
  const { plain: property, words } = withoutWords(given);
  const values = property.enum?.map(String);
  const kind = kindOf(property);
  const minimum = property.minimum ?? property.exclusiveMinimum;
  const maximum = property.maximum ?? property.exclusiveMaximum;
  return {
    key,
    name: kebab(key),
    kind,
    description: property.description ?? "",
    placeholder: property.placeholder ?? values?.join("|") ?? [placeholders[kind], ...words].join("|"),
    group: property.group ?? group,
    ...(values ? { values } : {}),
    ...(words.length > 0 ? { words } : {}),
    // zod gives every integer the limits of a safe one; they tell nobody anything.
    ...(minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? { minimum } : {}),
    ...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? { maximum } : {}),
    ...(property.default === undefined ? {} : { initial: property.default }),
  };
}

const placeholders: Readonly<Record<FlagKind, string>> = {
  boolean: "",
  string: "TEXT",
  number: "NUMBER",
  integer: "N",
  list: "A,B,...",
  object: "JSON",
};

function kindOf(property: Property): FlagKind {
  switch (property.type) {
    case "boolean":
    case "number":
    case "integer":
      return property.type;
    case "object":
      return "object";
    case "array":
      return "list";
    default:
      return "string";
  }
}

/** What a flag takes, in words: for help texts and messages. */
export function expectation(flag: Flag): string {
  if (flag.values) return `one of ${flag.values.join(", ")}`;
  return [ofItsKind(flag), ...(flag.words ?? [])].join(" or ");
}

function ofItsKind(flag: Flag): string {
  const { minimum, maximum } = flag;
  const noun = {
    boolean: "true or false",
    string: "a text",
    list: "a list",
    object: "a JSON object",
    number: "a number",
    integer: "a whole number",
  };
  if (minimum !== undefined && maximum !== undefined)
    return `${noun[flag.kind]} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${noun[flag.kind]} of at least ${minimum}`;
  if (maximum !== undefined) return `${noun[flag.kind]} of at most ${maximum}`;
  return noun[flag.kind];
}
