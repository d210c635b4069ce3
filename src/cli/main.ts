/** The command line: finds the command, its settings, runs it, and turns what happens into an exit code. */
import { resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { unknownName } from "../core/registry.js";
import { type Arguments, readArguments } from "./arguments.js";
import type { Command, CommandContext, MoreFlags } from "./command.js";
import { commandTable } from "./command-table.js";
import { configLayer } from "./config-file.js";
import { type Flag, flagsOf } from "./flags.js";
import { commandHelp, groupHelp, overview } from "./help.js";
import type { Host } from "./host.js";
import { watchForStop } from "./interruption.js";
import { processHost } from "./process-host.js";
import { renderError } from "./render-error.js";
import { environmentLayer, type Layer, settle, stack } from "./settings.js";
import { styleFor } from "./style.js";

/** Runs one command line and gives the exit code. Ends the process itself only at a second Ctrl-C. */
export async function main(argv: readonly string[], host: Host = processHost()): Promise<number> {
  using interruption = watchForStop(host);
  let code: number;
  try {
    code = await dispatch(argv, host, interruption.signal);
  } catch (error) {
    // Whatever failed because the reader left is of no interest to it.
    if (interruption.outputClosed === null) code = 0;
    else code = renderError(error, host, asksForJson(argv));
  }
  if (interruption.outputClosed) code = renderError(unwritable(interruption.outputClosed), host, false);
  return interruption.exitCode ?? code;
}

function unwritable(cause: Error): StepwrightError {
  return new StepwrightError("storage-failed", `standard output cannot be written: ${cause.message}`, {
    cause,
  });
}

async function dispatch(argv: readonly string[], host: Host, signal: AbortSignal): Promise<number> {
  const [first = "help", second] = argv;
  const style = styleFor(host.out, host.environment);
  const print = (text: string) => {
    host.out.write(text);
    return 0;
  };
  if (first === "--version" || first === "-V") return dispatch(["version"], host, signal);
  if (first === "--help" || first === "-h") return print(overview(style));
  if (first === "help")
    return second === undefined
      ? print(overview(style))
      : dispatch([...argv.slice(1), "--help"], host, signal);
  const pair = `${first} ${second}`;
  if (Object.hasOwn(commandTable, pair)) return runCommand(pair, argv.slice(2), host, signal);
  if (Object.hasOwn(commandTable, first)) return runCommand(first, argv.slice(1), host, signal);
  const inGroup = Object.keys(commandTable).filter((name) => name.startsWith(`${first} `));
  if (inGroup.length === 0) throw unknownName("command", first, firstWords());
  if (second === "--help" || second === "-h") return print(groupHelp(first, style));
  const words = inGroup.map((name) => name.slice(first.length + 1));
  if (second !== undefined) throw unknownName("command", pair, inGroup);
  throw new StepwrightError("invalid-option", `"${first}" needs one of: ${words.join(", ")}`, {
    remedy: `see stepwright ${first} --help`,
  });
}

function firstWords(): string[] {
  return [...new Set(Object.keys(commandTable).map((name) => name.split(" ")[0]!)), "help"];
}

async function runCommand(
  name: string,
  argv: readonly string[],
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const command = await commandTable[name]!.load();
  const style = styleFor(host.out, host.environment);
  const flags = flagsOf(command.schema);
  const asked = asksForHelp(argv, flags);
  const more = await moreFlags(command, argv, flags, host, asked);
  if (asked) {
    host.out.write(commandHelp(name, command, more, style));
    return 0;
  }
  const extra = more ? flagsOf(more.schema) : [];
  const all = [...flags, ...extra];
  const { operands, given } = readArguments(argv, all);
  if (operands.length > command.operandLimit) throw tooMany(name, command, operands);
  const layer = command.layered ? await layers(given, all, host) : given;
  const values = settle(command.schema, flags, layer);
  const moreValues = more ? settle(more.schema, extra, layer) : {};
  const origins = new Map([...layer].map(([key, { origin }]) => [key, origin]));
  return command.run(contextFor(host, signal), values, operands, moreValues, origins);
}

function contextFor(host: Host, signal: AbortSignal): CommandContext {
  return {
    host,
    signal,
    style: styleFor(host.out, host.environment),
    talkStyle: styleFor(host.talk, host.environment),
    say: (line) => host.talk.write(`${line}\n`),
    print: (line) => host.out.write(`${line}\n`),
    printJson: (value) => host.out.write(`${JSON.stringify(value, null, 2)}\n`),
  };
}

async function layers(given: Layer, flags: readonly Flag[], host: Host, lenient = false): Promise<Layer> {
  const upper = stack(given, environmentLayer(flags, host.environment));
  const config = upper.get("config")?.value;
  const inFiles = flags.filter((flag) => flag.key !== "config");
  if (typeof config !== "string") return upper;
  return stack(upper, await configLayer(resolve(host.workingFolder, config), inFiles, lenient));
}

/** A first look at the settings, passing over flags that are not known yet, tells which further flags there are. */
async function moreFlags(
  command: Command,
  argv: readonly string[],
  flags: readonly Flag[],
  host: Host,
  forHelp: boolean,
): Promise<MoreFlags | undefined> {
  if (!command.moreFlags) return undefined;
  const { given }: Arguments = readArguments(argv, flags, false);
  const layer = forHelp ? given : await layers(given, flags, host, true);
  return command.moreFlags((key) => layer.get(key)?.value ?? flags.find((flag) => flag.key === key)?.initial);
}

function asksForHelp(argv: readonly string[], flags: readonly Flag[]): boolean {
  const help: Flag = {
    key: "help",
    name: "help",
    kind: "boolean",
    description: "",
    placeholder: "",
    group: "",
  };
  const end = argv.indexOf("--");
  const words = end < 0 ? argv : argv.slice(0, end);
  return words.includes("-h") || readArguments(words, [...flags, help], false).given.has("help");
}

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
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
