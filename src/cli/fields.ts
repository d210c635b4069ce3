/** Fields that several commands' schemas share. */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";

/** A field that is typed as text and parsed by `parse`; the parser's message and remedy become the flag's. */
export function parsed<Value>(parse: (text: string) => Value) {
  return z.string().transform((text, context): Value => {
    try {
      return parse(text);
    } catch (thrown) {
      const error = StepwrightError.from(thrown);
      context.issues.push({
        code: "custom",
        message: error.message,
        input: text,
        params: { remedy: error.remedy },
      });
      return z.NEVER;
    }
  });
}

export const jsonField = z
  .boolean()
  .default(false)
  .describe("Print one JSON document instead of text.")
  .meta({ group: "Output" });
