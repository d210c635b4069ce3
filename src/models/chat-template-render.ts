/**
 * Runs one chat template. The interpreter knows no host objects: a template sees JSON values, the functions below
 * and nothing else. It can still ask for more time or memory than there is, so this runs in a process of its own.
 */
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import type { ChatMessage } from "../core/model.js";

export interface TemplateRequest {
  readonly template: string;
  readonly messages: readonly ChatMessage[];
  readonly beginToken: string;
  readonly endToken: string;
  readonly addGenerationPrompt: boolean;
}

/** A template asked for more than it may have. */
export class TemplateLimitError extends Error {}

/** Characters of one rendered conversation. */
export const longestOutput = 2 ** 20;
const longestRange = 100_000;
const cachedTemplates = 8;

/** One day for all runs, so that a conversation gives the same prompt tomorrow; it is Llama 3's own default date. */
const today = new Date(Date.UTC(2024, 6, 26, 12));

const parsed = new Map<string, ReturnType<typeof parse>>();

export function renderTemplate(request: TemplateRequest): string {
  const environment = new Environment();
  const globals: Record<string, unknown> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range,
    strftime_now: (format: unknown) => dateText(String(format)),
    raise_exception: (message: unknown) => {
      throw new Error(String(message));
    },
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    bos_token: request.beginToken,
    eos_token: request.endToken,
    add_generation_prompt: request.addGenerationPrompt,
  };
  for (const [name, value] of Object.entries(globals)) environment.set(name, value);
  const output = new Interpreter(environment).run(programOf(request.template)).toString();
  if (output.length > longestOutput) {
    throw new TemplateLimitError(
      `it wrote ${output.length} characters; at most ${longestOutput} are accepted`,
    );
  }
  return output;
}

function programOf(template: string): ReturnType<typeof parse> {
  const known = parsed.get(template);
  if (known) return known;
  const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
  if (parsed.size >= cachedTemplates) parsed.delete(parsed.keys().next().value!);
  parsed.set(template, program);
  return program;
}

/** Python's range with a bound: an array of a billion numbers would end the process before any time limit. */
function range(first: unknown, second?: unknown, third?: unknown): number[] {
  const [start, stop] = second === undefined ? [0, Number(first)] : [Number(first), Number(second)];
  const step = third === undefined ? 1 : Number(third);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= longestRange)) throw new TemplateLimitError(`it asked for a range of ${count} numbers`);
  return Array.from({ length: count }, (_, index) => start + index * step);
}

function dateText(format: string): string {
  const month = (style: "long" | "short") =>
    new Intl.DateTimeFormat("en", { month: style, timeZone: "UTC" }).format(today);
  const two = (value: number) => String(value).padStart(2, "0");
  const parts: Readonly<Record<string, string>> = {
    "%Y": String(today.getUTCFullYear()),
    "%m": two(today.getUTCMonth() + 1),
    "%d": two(today.getUTCDate()),
    "%b": month("short"),
    "%B": month("long"),
    "%H": two(today.getUTCHours()),
    "%M": two(today.getUTCMinutes()),
    "%%": "%",
  };
  return format.replace(/%[YmdbBHM%]/g, (part) => parts[part]!);
}
