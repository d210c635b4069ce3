/** Help texts, generated from the command table and the flags. */

import type { Command, MoreFlags } from "./command.js";
import { commandTable } from "./command-table.js";
import { type Flag, flagsOf, helpFlag } from "./flags.js";
import type { Style } from "./style.js";
import { wrap } from "./terminal-text.js";

const width = 100;
const exitCodes = "Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.";

export function overview(style: Style): string {
  const names = Object.keys(commandTable);
  const column = Math.max(...names.map((name) => name.length)) + 2;
  return [
    `${style.bold("stepwright")}: spend a language model's inference-time compute where it counts`,
    "",
    `${style.bold("Usage:")} stepwright COMMAND [operands] [flags]`,
    "",
    style.bold("Commands:"),
    ...names.map((name) => `  ${style.cyan(name.padEnd(column))}${commandTable[name]!.summary}`),
    "",
    "Start with `stepwright lab`. Every command answers to --help. Data goes to standard output, talk to",
    "standard error.",
    exitCodes,
    "Docs: docs/cli.md",
    "",
  ].join("\n");
}

/** The commands that share a first word. */
export function groupHelp(group: string, style: Style): string {
  const names = Object.keys(commandTable).filter((name) => name.startsWith(`${group} `));
  const column = Math.max(...names.map((name) => name.length)) + 2;
  return [
    `${style.bold("Usage:")} stepwright ${group} ${names.map((name) => name.slice(group.length + 1)).join("|")} ...`,
    "",
    ...names.map((name) => `  ${style.cyan(name.padEnd(column))}${commandTable[name]!.summary}`),
    "",
    `Docs: docs/cli.md#${group}`,
    "",
  ].join("\n");
}

export function commandHelp(
  name: string,
  command: Command,
  more: MoreFlags | undefined,
  style: Style,
): string {
  const flags = [...flagsOf(command.schema), ...(more ? flagsOf(more.schema, more.title) : []), helpFlag];
  const usage = ["stepwright", name, command.operands, "[flags]"].filter(Boolean).join(" ");
  const lines = [
    `${style.bold(`stepwright ${name}`)}: ${commandTable[name]!.summary}`,
    "",
    `${style.bold("Usage:")} ${usage}`,
    "",
    ...wrap(command.description, width),
  ];
  for (const group of groupsOf(flags, more?.title)) {
    lines.push("", style.bold(`${group}:`));
    for (const flag of flags) if (flag.group === group) lines.push(...flagLines(flag, style));
  }
  if (command.layered) {
    lines.push(
      "",
      ...wrap(
        "Every flag may also come from the environment (--max-tokens as STEPWRIGHT_MAX_TOKENS) or from the file given to --config. A flag wins over the environment, that over the file, that over the default.",
        width,
      ),
    );
  }
  if (command.examples.length > 0) {
    lines.push("", style.bold("Examples:"), ...command.examples.map((example) => `  ${example}`));
  }
  lines.push("", exitCodes, `Docs: docs/cli.md#${name.replace(" ", "-")}`, "");
  return lines.join("\n");
}

/** What is asked for first, then how, the rest as the schema has it; flags of no group last. */
function groupsOf(flags: readonly Flag[], methodGroup: string | undefined): string[] {
  const found = [...new Set(flags.map((flag) => flag.group))];
  const first = ["Method", methodGroup].filter((group) => group !== undefined && found.includes(group));
  return [...new Set([...first, ...found.filter((group) => group !== "Flags"), "Flags"])] as string[];
}

const column = 30;

function flagLines(flag: Flag, style: Style): string[] {
  const negatable = flag.kind === "boolean" && flag.initial === true;
  const name = `--${negatable ? "no-" : ""}${flag.name}`;
  const left = [name, flag.placeholder].filter(Boolean).join(" ");
  const facts = [limits(flag), initial(flag)].filter(Boolean).join(", ");
  const right = wrap(flag.description + (facts ? ` (${facts})` : ""), width - column - 2);
  const gap = " ".repeat(column + 2);
  const shown = `  ${style.cyan(name)}${left.slice(name.length)}`;
  const first = left.length < column ? shown + " ".repeat(column - left.length) + right.shift() : shown;
  return [first, ...right.map((line) => gap + line)].map((line) => line.trimEnd());
}

function limits(flag: Flag): string {
  const { minimum, maximum } = flag;
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `at least ${minimum}`;
  return maximum === undefined ? "" : `at most ${maximum}`;
}

function initial(flag: Flag): string {
  if (flag.initial === undefined || flag.kind === "boolean" || isEmpty(flag.initial)) return "";
  return `default ${typeof flag.initial === "string" ? flag.initial : JSON.stringify(flag.initial)}`;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
