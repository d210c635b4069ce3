/** A command's settings, out of its arguments, the environment and configuration files. */
import { resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { readArguments } from "./arguments.js";
import type { Command, MoreFlags } from "./command.js";
import { configLayer } from "./config-file.js";
import { type Flag, flagsOf, helpFlag } from "./flags.js";
import type { Host } from "./host.js";
import { recipeLayer } from "./recipe-file.js";
import { environmentLayer, type Layer, settle, stack } from "./settings.js";

export interface CommandSettings {
  readonly values: Record<string, unknown>;
  /** Values of the flags that depend on others. */
  readonly more: Record<string, unknown>;
  readonly operands: readonly string[];
  /** Where each value that was given came from, by key. */
  readonly origins: ReadonlyMap<string, string>;
}

export async function commandSettings(
  name: string,
  command: Command,
  argv: readonly string[],
  host: Host,
): Promise<CommandSettings> {
  const own = flagsOf(command.schema);
  const first = await layered(command, readArguments(argv, own, false).given, own, host, true);
  const dependent = await dependentFlags(command, own, first);
  const extra = dependent ? flagsOf(dependent.schema) : [];
  const { operands, given } = readArguments(argv, [...own, ...extra]);
  if (operands.length > command.operandLimit) throw tooMany(name, command, operands);
  const layer = await layered(command, given, [...own, ...extra], host);
  return {
    values: settle(command.schema, own, layer),
    more: dependent ? settle(dependent.schema, extra, layer) : {},
    operands,
    origins: new Map([...layer].map(([key, { origin }]) => [key, origin])),
  };
}

/** The flags that the command line alone asks about: for help texts, which need no valid configuration. */
export function flagsForHelp(command: Command, argv: readonly string[]): Promise<MoreFlags | undefined> {
  const own = flagsOf(command.schema);
  return dependentFlags(command, own, readArguments(argv, own, false).given);
}

export function asksForHelp(command: Command, argv: readonly string[]): boolean {
  const words = beforeOperandsOnly(argv);
  return (
    words.includes("-h") ||
    readArguments(words, [...flagsOf(command.schema), helpFlag], false).given.has("help")
  );
}

/** The words before "--", which makes operands of all that follow it. */
export function beforeOperandsOnly(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? argv : argv.slice(0, end);
}

/** `lenient` passes over what is unknown: a first look, before it is known which flags there are. */
async function layered(
  command: Command,
  given: Layer,
  flags: readonly Flag[],
  host: Host,
  lenient = false,
): Promise<Layer> {
  if (!command.layered) return given;
  const upper = stack(given, environmentLayer(flags, host.environment));
  const inFiles = flags.filter(({ key }) => key !== "config" && key !== "recipe");
  const file = async (key: string, read: typeof configLayer): Promise<Layer> => {
    const path = upper.get(key)?.value;
    return typeof path === "string" ? read(resolve(host.workingFolder, path), inFiles, lenient) : new Map();
  };
  return stack(upper, await file("recipe", recipeLayer), await file("config", configLayer));
}

async function dependentFlags(
  command: Command,
  own: readonly Flag[],
  layer: Layer,
): Promise<MoreFlags | undefined> {
  return command.moreFlags?.((key) => layer.get(key)?.value ?? own.find((flag) => flag.key === key)?.initial);
}

function tooMany(name: string, command: Command, operands: readonly string[]): StepwrightError {
  const surplus = operands[command.operandLimit]!;
  return new StepwrightError("invalid-option", `${name} takes no further operand, but got "${surplus}"`, {
    subject: surplus,
    remedy:
      command.operandLimit === 0
        ? `run stepwright ${name} without it`
        : "put quotes around a text that holds spaces",
  });
}
