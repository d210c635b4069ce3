/** The settings of `serve`, said once. */
import { z } from "zod";
import { serverLimitsSchema } from "../server/limits.js";
import { jsonField } from "./fields.js";
import { solveSchema } from "./solve-settings.js";
import { speculationFields } from "./speculation.js";

/** Names go into URLs and metrics. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "a name is letters, digits, dots, dashes and underscores");

const roles = {
  draft: z.string().optional(),
  target: z.string().optional(),
  reward: z.string().optional(),
};

const pair = z.strictObject({ ...roles, method: z.string().optional() });

const preset = z.strictObject({
  pair: name,
  method: z.string(),
  options: z.record(z.string(), z.unknown()).default({}),
  description: z.string().max(300).optional(),
});

const { draft, target, reward, threads, context, exact, method, config } = solveSchema.shape;

export const serveSchema = z.object({
  method: method.describe("What the pair's plain name stands for. Its own options are flags too."),
  draft,
  target,
  reward,
  name: name
    .default("default")
    .describe("Name of the pair that these flags make; clients ask for METHOD/NAME.")
    .meta({ group: "Models" }),
  threads,
  context,
  exact,
  ...speculationFields,
  pairs: z
    .record(name, pair)
    .default({})
    .describe("Further pairs by name, each with draft, target, reward and method; best in a file (--config).")
    .meta({ group: "Models" }),
  presets: z
    .record(name, preset)
    .default({})
    .describe("Presets by name, each with pair, method and options; best in a file (--config).")
    .meta({ group: "Models" }),

  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .describe("Address to listen on. Beyond this machine a key is needed.")
    .meta({ group: "Access", placeholder: "ADDRESS" }),
  port: z.int().min(0).max(65_535).default(8080).describe("0 takes any free one.").meta({ group: "Access" }),
  apiKey: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Keys that clients must send one of. Safer in STEPWRIGHT_API_KEY or in a file: others see flags.",
    )
    .meta({ group: "Access", placeholder: "KEY,..." }),
  apiKeyFile: z
    .string()
    .optional()
    .describe("File with a key on each line.")
    .meta({ group: "Access", placeholder: "FILE" }),
  allowOrigin: z
    .array(z.string())
    .default([])
    .describe("Origins of web pages that may ask, such as https://studio.example.")
    .meta({ group: "Access", placeholder: "ORIGIN,..." }),
  allowHost: z
    .array(z.string())
    .default([])
    .describe("Names under which clients may address the server, besides those of this machine.")
    .meta({ group: "Access", placeholder: "NAME,..." }),
  limits: serverLimitsSchema
    .partial()
    .strict()
    .default({})
    .describe('Limits by name, such as {"queue": 64}; GET /v1/limits tells them all.')
    .meta({ group: "Access" }),

  runs: z
    .string()
    .optional()
    .describe("Folder where runs are kept; default: served in the state folder.")
    .meta({ group: "Runs", placeholder: "DIR" }),
  noStore: z
    .boolean()
    .default(false)
    .describe("Keep no run: none can be looked at or taken up again.")
    .meta({ group: "Runs" }),
  config: config.describe("Settings from a JSON or YAML file."),
  json: jsonField.describe("Print one line of JSON as soon as the models are open."),
});

export type ServeSettings = z.output<typeof serveSchema>;
