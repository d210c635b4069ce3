/** What chat and completion requests have in common, as the rest of the server reads it. */
import { z } from "zod";
import { parseSplitter, type Splitter } from "../../core/step.js";
import type { HttpLimits } from "../limits.js";
import { plainText } from "./text.js";

/** The request key that only this server knows. Nothing inside a message can set any of it. */
const extension = z.strictObject({
  /** Overrides the preset's method. */
  method: z.string().min(1).max(64).optional(),
  /** The method's own options, checked by its schema. */
  options: z.record(z.string(), z.unknown()).optional(),
  budget: z
    .strictObject({
      "draft-tokens": z.int().min(1).optional(),
      "target-tokens": z.int().min(1).optional(),
      "reward-passes": z.int().min(1).optional(),
      flops: z.number().positive().optional(),
      seconds: z.number().positive().max(86_400).optional(),
    })
    .optional(),
  /** Where a step ends: `blank-line`, `line`, `sentence`, `tokens:N`, `text:DELIMITER`, `none`. */
  step: z
    .string()
    .max(256)
    .transform((text, context): Splitter => {
      const splitter = parseSplitter(text);
      if (splitter) return splitter;
      context.addIssue({ code: "custom", message: "is no way to end a step" });
      return z.NEVER;
    })
    .optional(),
  max_steps: z.int().min(1).optional(),
  max_step_tokens: z.int().min(1).max(1_000_000).optional(),
  reward_failure: z.enum(["fail", "accept", "target-only"]).optional(),
  /** Wall seconds, waiting included. */
  deadline: z.number().positive().max(86_400).optional(),
  /** Steps that are not decided for yet come too, as extra keys on chunks without content. */
  provisional: z.boolean().default(false),
});

/** Seeds of the choices count up from the first. */
const seed = z
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER - 100_000);

export function askFields(limits: HttpLimits) {
  const stop = plainText
    .refine((text) => text !== "", "is empty")
    .refine(
      (text) => Buffer.byteLength(text) <= limits.stopBytes,
      `is longer than ${limits.stopBytes} bytes`,
    );
  const stops = z.array(stop).max(limits.stopStrings, `at most ${limits.stopStrings} stop strings`);
  return {
    model: z.string(),
    n: z.int().min(1).max(limits.choices).nullish(),
    max_tokens: z.int().min(1).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().gt(0).max(1).nullish(),
    top_k: z.int().min(-1).nullish(),
    min_p: z.number().min(0).max(1).nullish(),
    seed: seed.nullish(),
    stop: z.union([stops, stop.transform((text) => [text])]).nullish(),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    stepwright: extension
      .refine(({ max_steps: steps = 1 }) => steps <= limits.steps, {
        path: ["max_steps"],
        message: `at most ${limits.steps} steps`,
      })
      .nullish(),
  };
}

export type AskFields = z.output<z.ZodObject<ReturnType<typeof askFields>>>;
export type Extension = z.output<typeof extension>;

/** Default where the client says nothing: greedy, one choice. */
export function samplingOf({ temperature, top_p, top_k, min_p }: AskFields) {
  return {
    temperature: temperature ?? 0,
    topP: top_p ?? 1,
    // vLLM writes "off" as -1.
    topK: Math.max(0, top_k ?? 0),
    minP: min_p ?? 0,
  };
}
