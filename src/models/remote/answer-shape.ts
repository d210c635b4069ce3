/** Answers checked against the shape that they must have; what else they hold is ignored. */
import type { z } from "zod";
import { invalidAnswer } from "./failure.js";

/** Throws `remote-invalid`, naming the field. */
export function shaped<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  origin: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw invalidAnswer(
    origin,
    `sent an answer of another shape: ${path.join(".") || "all of it"}: ${message}`,
  );
}
