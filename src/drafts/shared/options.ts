/** Options that several drafters have in common. */
import { z } from "zod";

export const headOption = {
  head: z
    .int()
    .min(1)
    .max(128)
    .default(64)
    .describe("most probable tokens of the draft's row that drafts are drawn from"),
};

export const temperatureOption = {
  temperature: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .describe("temperature of the drafts; by default the request's; at 0 the most probable tokens are taken"),
};

export const chainDraws = {
  draws: z
    .enum(["coupled", "sampled", "top"])
    .default("coupled")
    .describe(
      "coupled draws with the coins of the target's own draws, for the agreement rule; sampled tells its law to the rejection rules; top is the most probable token",
    ),
};

export const treeDraws = {
  draws: z
    .enum(["without-replacement", "independent", "top"])
    .default("without-replacement")
    .describe("how siblings are drawn; top takes the most probable tokens"),
};

export const matchOptions = {
  longest: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe("tokens of the text's end that are looked for, at most"),
  shortest: z.int().min(1).max(64).default(2).describe("where fewer tokens agree nothing is drafted"),
};
