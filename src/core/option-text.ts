/** A method's options where they come as texts: on a command line, in a list, in a description. */
import { z } from "zod";

/** Each value as the schema's type has it; what cannot be converted stays a text, and the schema says what it expects. */
export function typedOptions(
  { schema }: { readonly schema: z.ZodObject },
  texts: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => {
      const property = properties[name];
      return [name, typeof property === "object" ? typed(text, property as Property) : text];
    }),
  );
}

interface Property {
  readonly type?: string | undefined;
  readonly anyOf?: readonly Property[] | undefined;
}

function typed(text: string, { type, anyOf }: Property): unknown {
  // The first type that the text can be written in.
  for (const one of anyOf ?? []) {
    const value = typed(text, one);
    if (value !== text) return value;
  }
  if ((type === "number" || type === "integer") && /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    return Number(text);
  }
  if (type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  return text;
}
