/** Parses a request's fields by a schema; the first thing that is wrong becomes an API error that names its field. */
import type { z } from "zod";
import { ApiError } from "../api-error.js";

export function parseFields<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  within = "",
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw fromIssue(parsed.error.issues[0]!, within);
}

function fromIssue(issue: z.core.$ZodIssue, within: string): ApiError {
  // Of a field that may be one of several things, the problem of the one that came furthest says most.
  if (issue.code === "invalid_union") {
    const inner = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
    if (inner && inner.path.length > 0)
      return fromIssue({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, within);
  }
  const keys = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const param = paramOf([...(within === "" ? [] : [within]), ...issue.path, ...keys]);
  const code = issue.code === "unrecognized_keys" ? "unknown_parameter" : "invalid_value";
  return new ApiError(400, code, `${param || "the body"}: ${issue.message}`, { param: param || undefined });
}

/** `messages[0].content` */
function paramOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index > 0 ? "." : ""}${String(part).slice(0, 64)}`,
    )
    .join("");
}
