/** How many answers' worth of tokens a method may write for one answer. */
import { z } from "zod";
import type { Method } from "../../core/method.js";

/** The product of the options that say so: `z.int().meta({ width: true })`. A prediction, to admit by, not a bound. */
export function widthOf(method: Method, options: Readonly<Record<string, unknown>>): number {
  const { properties = {} } = z.toJSONSchema(method.schema, { io: "input", unrepresentable: "any" });
  let width = 1;
  for (const [name, property] of Object.entries(properties)) {
    const value = options[name];
    if (typeof property === "object" && property.width === true && typeof value === "number") width *= value;
  }
  return width;
}
