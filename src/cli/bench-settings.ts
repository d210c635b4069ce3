/** The settings of `bench`: those of `solve` that concern models, sampling, limits and prompt, and its own. */
import { z } from "zod";
import { questionFields } from "./question-fields.js";
import { solveSchema } from "./solve-settings.js";

const { method, task, seed, trace, noTrace, resume, events, json, config, ...shared } = solveSchema.shape;

export const benchSchema = z.object({
  ...questionFields(1),

  method: z
    .string()
    .default("draft,target,rsd")
    .describe(
      "Methods with their options, in quotes where these are several: rsd:threshold=0.8, or sweeps: 'rsd:threshold=0.5..0.9/0.1;weight=step|clip'.",
    )
    .meta({ group: "Method", placeholder: "A,B,..." }),
  seeds: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe("Runs of each question with each method, from --seed on.")
    .meta({ group: "Method" }),
  seed,
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe("Questions at work at the same time; above 1 the seconds are not those of a run alone.")
    .meta({ group: "Method" }),

  equalCompute: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe(
      "Beside every method, plain decoding at its FLOPs: greedy, and majority votes over up to so many samples of each plain model, drawn for it. 0 is off.",
    )
    .meta({ group: "Method" }),
  sampleTemperature: z
    .number()
    .gt(0)
    .max(100)
    .default(0.7)
    .describe("Temperature of the samples of --equal-compute.")
    .meta({ group: "Method" }),

  pilot: z
    .string()
    .optional()
    .describe(
      "A folder of an earlier bench: foretell this one's costs from it, and report what was foretold beside what happened.",
    )
    .meta({ group: "Method", placeholder: "DIR" }),
  retryFailed: z
    .boolean()
    .default(false)
    .describe(
      "Run again what failed before. Where failing depends on the question, this favours the method that failed.",
    )
    .meta({ group: "Method" }),

  ...shared,

  out: z
    .string()
    .optional()
    .describe(
      "The bench's folder, gone on with if it holds this bench; default: bench/ID in the state folder (STEPWRIGHT_HOME or ~/.cache/stepwright).",
    )
    .meta({ group: "Output", placeholder: "DIR" }),
  recipe: z
    .string()
    .optional()
    .describe("Settings from a recipe: YAML with these flags as keys, and options for the method. Flags win.")
    .meta({ group: "Flags", placeholder: "FILE" }),
  config,
  json,
});

export type BenchSettings = z.output<typeof benchSchema>;
