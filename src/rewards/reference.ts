/** `kind:model?option=value&option=value`, taken apart and checked; `lab:NAME` is `confidence?head=lab:NAME`. */
import type { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { nearest } from "../core/registry.js";

export interface RewardReference {
  readonly kind: string;
  /** A model reference, or the words `draft` and `target`; empty where none is named. */
  readonly model: string;
  /** As written, percent-decoded, unchecked. */
  readonly options: Readonly<Record<string, string>>;
}

/** Throws `invalid-option`. A `?` belongs to the options only where `name=` follows it, so paths may hold one. */
export function parseRewardReference(text: string): RewardReference {
  const [, kind = "", rest = ""] = /^([a-z][a-z0-9-]*)(?=[:?]|$)(.*)$/is.exec(text) ?? [];
  if (kind === "" || rest === ":" || rest.startsWith(":?")) {
    throw new StepwrightError("invalid-option", `"${text}" is not a reward reference`, {
      subject: "reward",
      remedy:
        "write kind:model, for instance judge:target, or a kind that needs no model, such as confidence",
    });
  }
  if (kind === "lab") return { kind: "confidence", model: "", options: { head: text } };
  // Of a server's address, what stands before its # belongs to the address.
  const query = (
    /^:https?:/i.test(rest) ? /\?([A-Za-z][A-Za-z-]*=[^?#]*)$/ : /\?([A-Za-z][A-Za-z-]*=[^?]*)$/
  ).exec(rest);
  const named = query ? rest.slice(0, query.index) : rest;
  const model = named.startsWith(":") ? named.slice(1) : named;
  const options: Record<string, string> = Object.create(null);
  for (const pair of query ? query[1]!.split("&") : []) {
    const equals = pair.indexOf("=");
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (Object.hasOwn(options, key)) throw invalid(kind, key, "is given twice");
    options[key] = decode(kind, key, equals < 0 ? "" : pair.slice(equals + 1));
  }
  return { kind, model, options };
}

function decode(kind: string, key: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw invalid(kind, key, "has a broken percent escape", { cause, remedy: "write a percent sign as %25" });
  }
}

/** Checks options against the kind's schema; an unknown one is answered with the nearest known one. */
export function parseRewardOptions<Schema extends z.ZodObject>(
  kind: string,
  schema: Schema,
  options: Readonly<Record<string, string>>,
): z.output<Schema> {
  const known = Object.keys(schema.shape);
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw invalid(kind, key, "is unknown", {
      remedy: near ? `did you mean "${near}"?` : `known: ${known.join(", ")}`,
    });
  }
  const parsed = schema.safeParse({ ...options });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw invalid(kind, issue.path.join("."), `is not valid: ${issue.message}`);
}

function invalid(
  kind: string,
  key: string,
  message: string,
  details: { cause?: unknown; remedy?: string } = {},
): StepwrightError {
  return new StepwrightError("invalid-option", `option "${key}" of reward ${kind} ${message}`, {
    ...details,
    subject: key,
  });
}
