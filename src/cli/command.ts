/** What a command is. Each has one file in `commands/`. */
import type { z } from "zod";
import type { Host } from "./host.js";
import type { Style } from "./style.js";

export interface CommandContext {
  readonly host: Host;
  /** Style of standard output, and of standard error. */
  readonly style: Style;
  readonly talkStyle: Style;
  /** Fires at the first Ctrl-C, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** One line on standard error. */
  say(line: string): void;
  /** One line on standard output. */
  print(line: string): void;
  /** One JSON document on standard output. */
  printJson(value: unknown): void;
}

/** Flags that depend on other flags: those of the chosen method. */
export interface MoreFlags {
  readonly title: string;
  readonly schema: z.ZodObject;
}

export interface Command<Schema extends z.ZodObject = z.ZodObject> {
  /** What may follow the flags, as in "[PROBLEM | -]". */
  readonly operands: string;
  /** How many operands it takes at most. */
  readonly operandLimit: number;
  readonly description: string;
  readonly examples: readonly string[];
  readonly schema: Schema;
  /** Takes settings from the environment and from `--config`. */
  readonly layered?: boolean;
  /** `peek` gives the raw value of one of the command's own flags. */
  moreFlags?(peek: (key: string) => unknown): Promise<MoreFlags>;
  run(
    context: CommandContext,
    values: z.output<Schema>,
    operands: readonly string[],
    /** Values of the flags that `moreFlags` added. */
    more: Readonly<Record<string, unknown>>,
    /** Keys that were given and not left to their defaults. */
    given: ReadonlyMap<string, string>,
  ): Promise<number>;
}

/** Types a command's values from its schema. */
export function defineCommand<Schema extends z.ZodObject>(command: Command<Schema>): Command<Schema> {
  return command;
}
