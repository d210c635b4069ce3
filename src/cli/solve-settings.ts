/** The settings of `solve`, said once: flags, environment, configuration files and help texts follow from them. */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { parseSplitter, type Splitter } from "../core/step.js";
import { parseBudget } from "./budget.js";
import { jsonField, parsed } from "./fields.js";
import { speculationFields } from "./speculation.js";

const model = (description: string) =>
  z.string().optional().describe(description).meta({ group: "Models", placeholder: "MODEL" });

const amount = z.int().min(1);

export const solveSchema = z.object({
  method: z
    .string()
    .default("rsd")
    .describe("How to spend the compute; see stepwright methods. Its own options are flags too.")
    .meta({ group: "Method", placeholder: "NAME" }),

  draft: model(
    "The cheap model: a .gguf file, hf:owner/repo/file.gguf, lab:draft or demo:draft; graph: before a file's opens it as a white box.",
  ),
  target: model("The expensive model; the same forms."),
  reward: z
    .string()
    .optional()
    .describe("What scores steps: judge:MODEL, value-head:MODEL, step-token:MODEL; default: judge:target.")
    .meta({ group: "Models", placeholder: "REWARD" }),
  threads: amount
    .max(256)
    .default(1)
    .describe("Compute threads; more than the machine has to itself makes it slower.")
    .meta({ group: "Models" }),
  context: amount
    .optional()
    .describe("Tokens of KV cache for each model; default: what it was trained for, at most 4096.")
    .meta({ group: "Models" }),
  exact: z
    .boolean()
    .default(false)
    .describe("Batch-invariant arithmetic: the same result to the last bit whatever else runs. Slower.")
    .meta({ group: "Models" }),

  ...speculationFields,

  temperature: z.number().min(0).max(100).default(0).describe("0 is greedy.").meta({ group: "Sampling" }),
  topP: z.number().gt(0).max(1).default(1).describe("1 is off.").meta({ group: "Sampling" }),
  topK: z.int().min(0).default(0).describe("0 is off.").meta({ group: "Sampling" }),
  minP: z.number().min(0).max(1).default(0).describe("0 is off.").meta({ group: "Sampling" }),
  seed: z.int().min(0).default(0).describe("Same seed, same result.").meta({ group: "Sampling" }),

  maxTokens: amount
    .default(2048)
    .describe("Greatest length of the answer in tokens.")
    .meta({ group: "Limits" }),
  maxSteps: amount.default(100).describe("Greatest number of steps.").meta({ group: "Limits" }),
  maxStepTokens: amount
    .default(512)
    .describe("Greatest length of one step in tokens.")
    .meta({ group: "Limits" }),
  budget: parsed(parseBudget)
    .optional()
    .describe(
      "Hard limits, such as target-tokens=500,seconds=60; also draft-tokens, reward-passes and flops.",
    )
    .meta({ group: "Limits", placeholder: "LIMITS" }),
  rewardFailure: z
    .enum(["fail", "accept", "target-only"])
    .default("fail")
    .describe(
      "When the reward gives no valid number: end the run, take the step, or let the target write it.",
    )
    .meta({ group: "Limits" }),

  task: z
    .string()
    .optional()
    .describe("The task that PROBLEM is from, such as lab: its step checker is what --reward oracle asks.")
    .meta({ group: "Prompt", placeholder: "TASK" }),
  system: z
    .string()
    .optional()
    .describe("The system message; default: to reason step by step and put the answer in \\boxed{}.")
    .meta({ group: "Prompt", placeholder: "TEXT" }),
  noSystem: z.boolean().default(false).describe("Send no system message.").meta({ group: "Prompt" }),
  step: parsed(splitterFrom)
    .prefault("blank-line")
    .describe("Where a step ends: blank-line, line, sentence, or tokens:N.")
    .meta({ group: "Prompt", placeholder: "SPLITTER" }),

  trace: z
    .string()
    .optional()
    .describe(
      "Where the run's trace goes; default: runs/ID.jsonl in the state folder (STEPWRIGHT_HOME or ~/.cache/stepwright).",
    )
    .meta({ group: "Trace", placeholder: "FILE" }),
  noTrace: z
    .boolean()
    .default(false)
    .describe("Keep no trace; the run cannot be resumed or replayed.")
    .meta({ group: "Trace" }),
  resume: z
    .string()
    .optional()
    .describe("Go on with the run in this trace, with its own settings and models.")
    .meta({ group: "Trace", placeholder: "FILE" }),
  config: z
    .string()
    .optional()
    .describe("Settings from a JSON file.")
    .meta({ group: "Flags", placeholder: "FILE" }),

  json: jsonField,
  events: z
    .boolean()
    .default(false)
    .describe("Print every event of the trace as a line of JSON, as it happens.")
    .meta({ group: "Output" }),
});

export type SolveSettings = z.output<typeof solveSchema>;

export function splitterFrom(text: string): Splitter {
  const splitter = parseSplitter(text);
  if (splitter) return splitter;
  throw new StepwrightError("invalid-option", `"${text}" is no way to end a step`, {
    remedy: "write blank-line, line, sentence, or tokens:N with N from 1",
  });
}
