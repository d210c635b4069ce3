/** Reads the words of a command line against a list of flags. */
import { parseArgs } from "node:util";
import { StepwrightError } from "../core/errors.js";
import { nearest } from "../core/registry.js";
import type { Flag } from "./flags.js";

/** A value as it was given, and where: "--seed", "STEPWRIGHT_SEED" or "recipe.json: \"seed\"". */
export interface Given {
  readonly value: unknown;
  readonly origin: string;
}

export interface Arguments {
  readonly operands: readonly string[];
  /** By the flag's key. The last one wins. */
  readonly given: ReadonlyMap<string, Given>;
}

/**
 * `strict` refuses unknown flags and missing values; without it they are passed over, to find the flags
 * on which other flags depend.
 */
export function readArguments(argv: readonly string[], flags: readonly Flag[], strict = true): Arguments {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      flags.map((flag) => [flag.name, { type: flag.kind === "boolean" ? "boolean" : "string" }] as const),
    ),
  });
  const operands: string[] = [];
  const given = new Map<string, Given>();
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const negated = token.name.startsWith("no-") ? byName.get(token.name.slice(3)) : undefined;
    const flag = byName.get(token.name) ?? (negated?.kind === "boolean" ? negated : undefined);
    const origin = token.rawName;
    if (!flag) {
      if (strict) throw unknownFlag(origin, [...byName.keys()]);
    } else if (flag.kind === "boolean") {
      const off = flag.name !== token.name;
      given.set(flag.key, { value: token.value ?? !off, origin });
    } else if (token.value !== undefined && (token.inlineValue || isValue(token.value))) {
      given.set(flag.key, { value: token.value, origin });
    } else if (strict) {
      throw new StepwrightError("invalid-option", `${origin} needs a value`, {
        subject: origin,
        remedy: `write ${origin} ${flag.placeholder}`,
      });
    }
  }
  return { operands, given };
}

/** "-" is standard input and "-1" a number; anything else with a dash was meant as the next flag. */
function isValue(word: string): boolean {
  return !word.startsWith("-") || word === "-" || /^-\.?\d/.test(word);
}

export function unknownFlag(flag: string, names: readonly string[]): StepwrightError {
  const near = nearest(flag.replace(/^-+/, ""), names);
  return new StepwrightError("invalid-option", `unknown flag ${flag}`, {
    subject: flag,
    remedy: near ? `did you mean --${near}?` : "see --help for the flags of this command",
  });
}
