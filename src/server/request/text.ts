/** Text that models are given. */
import { z } from "zod";

/** Whole characters only, and none that ends a text for native code. */
export const plainText = z
  .string()
  .refine((text) => !/\p{Surrogate}/u.test(text), "holds half of a surrogate pair")
  .refine((text) => !text.includes("\0"), "holds a NUL character");

export const namedText = plainText.refine((text) => text.trim() !== "", "is empty");
