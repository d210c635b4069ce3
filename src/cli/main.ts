/** The command line: finds the command, runs it, and turns what happens into an exit code. */
import { StepwrightError } from "../core/errors.js";
import { unknownName } from "../core/registry.js";
import type { CommandContext } from "./command.js";
import { asksForHelp, beforeOperandsOnly, commandSettings, flagsForHelp } from "./command-settings.js";
import { commandTable } from "./command-table.js";
import { commandHelp, groupHelp, overview } from "./help.js";
import type { Host } from "./host.js";
import { watchForStop } from "./interruption.js";
import { processHost } from "./process-host.js";
import { renderError } from "./render-error.js";
import { styleFor } from "./style.js";

/** Runs one command line and gives the exit code. Ends the process itself only at a second Ctrl-C. */
export async function main(argv: readonly string[], host: Host = processHost()): Promise<number> {
  using interruption = watchForStop(host);
  let code: number;
  try {
    code = await dispatch(argv, contextFor(host, interruption.signal));
  } catch (error) {
    // Whatever failed because the reader left is of no interest to it.
    if (interruption.outputClosed === null) code = 0;
    else code = renderError(error, host, beforeOperandsOnly(argv).includes("--json"));
  }
  if (interruption.outputClosed) code = renderError(unwritable(interruption.outputClosed), host, false);
  const isService = commandTable[argv[0] ?? ""]?.isService === true;
  return (isService ? undefined : interruption.exitCode) ?? code;
}

async function dispatch(argv: readonly string[], context: CommandContext): Promise<number> {
  const [first = "--help", second] = argv;
  if (first === "--version" || first === "-V") return runCommand("version", [], context);
  if (first === "help" && second !== undefined) return dispatch([...argv.slice(1), "--help"], context);
  if (first === "--help" || first === "-h" || first === "help") return show(overview(context.style), context);

  const pair = `${first} ${second}`;
  if (Object.hasOwn(commandTable, pair)) return runCommand(pair, argv.slice(2), context);
  if (Object.hasOwn(commandTable, first)) return runCommand(first, argv.slice(1), context);

  const names = Object.keys(commandTable);
  const group = names.filter((name) => name.startsWith(`${first} `));
  if (group.length === 0) {
    throw unknownName("command", first, [...new Set(names.map((name) => name.split(" ")[0]!)), "help"]);
  }
  if (second === "--help" || second === "-h") return show(groupHelp(first, context.style), context);
  if (second !== undefined) throw unknownName("command", pair, group);
  throw new StepwrightError("invalid-option", `"${first}" is no command by itself`, {
    subject: first,
    remedy: `write one of: ${group.map((name) => `stepwright ${name}`).join(", ")}`,
  });
}

async function runCommand(name: string, argv: readonly string[], context: CommandContext): Promise<number> {
  const command = await commandTable[name]!.load();
  if (asksForHelp(command, argv)) {
    return show(commandHelp(name, command, await flagsForHelp(command, argv), context.style), context);
  }
  const { values, operands, more, origins } = await commandSettings(name, command, argv, context.host);
  return command.run(context, values, operands, more, origins);
}

function show(text: string, { host }: CommandContext): number {
  host.out.write(text);
  return 0;
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

function unwritable(cause: Error): StepwrightError {
  return new StepwrightError("storage-failed", `standard output cannot be written: ${cause.message}`, {
    cause,
  });
}
