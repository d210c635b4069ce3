/** The settings of `train reward`. */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { thresholdRules } from "../rewards/head-file.js";
import { calibrations } from "../train/reward/calibrate.js";
import { headKinds } from "../train/reward/train-head.js";
import { jsonField, parsed } from "./fields.js";
import { questionFields } from "./question-fields.js";
import { solveSchema, splitterFrom } from "./solve-settings.js";

const { seed, threads, context, system, noSystem } = solveSchema.shape;

/** The sets of features that need nothing but what the draft computes anyway when it writes. */
export const freeFeatureSets: readonly string[] = ["statistics", "chain", "mean-state", "both"];

const model = (description: string) =>
  z.string().optional().describe(description).meta({ group: "Models", placeholder: "MODEL" });

export const trainRewardSchema = z.object({
  ...questionFields(4),
  heldOut: parsed(heldOutFrom)
    .prefault("0.25")
    .describe(
      "What all figures are of, and nothing is fitted to or chosen by: a share of the questions, or a JSON Lines file.",
    )
    .meta({ group: "Task", placeholder: "SHARE|FILE" }),

  draft: model("The model whose steps the head is to judge; with no model named at all: lab:draft."),
  target: model("The model that rewrites weak steps: the threshold is chosen for it."),
  annotator: model("The model that makes the labels spare; default: the target, else the draft."),
  threads,
  context: context.describe("Tokens of KV cache for each model; default: what --concurrency needs."),

  samples: z
    .int()
    .min(1)
    .max(64)
    .default(3)
    .describe("Answers of the draft to each question: one greedy, the others sampled.")
    .meta({ group: "Answers" }),
  temperature: z
    .number()
    .gt(0)
    .max(100)
    .default(0.7)
    .describe("Temperature of the sampled answers.")
    .meta({ group: "Answers" }),
  maxTokens: z
    .int()
    .min(1)
    .default(512)
    .describe("Greatest length of an answer in tokens.")
    .meta({ group: "Answers" }),
  step: parsed((text) => ({ text, splitter: splitterFrom(text) }))
    .prefault("blank-line")
    .describe("Where a step ends, as it will in solve: blank-line, line, sentence, or tokens:N.")
    .meta({ group: "Answers", placeholder: "SPLITTER" }),
  targetAnswers: z
    .int()
    .min(1)
    .default(50)
    .describe("Training questions that the target answers too: what its own steps are worth.")
    .meta({ group: "Answers" }),
  system,
  noSystem,
  seed,
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe("Questions at work at the same time.")
    .meta({ group: "Answers" }),

  labels: z
    .string()
    .optional()
    .describe(
      "Where step labels come from: outcome, numbers, monte-carlo, omega, spare, check; options behind a question mark (monte-carlo?rollouts=4). Of several, separated by commas, the first is used and the others are compared. Default: the most exact that cost nothing: check where the task checks steps, numbers where all answers are numbers, else outcome.",
    )
    .meta({ group: "Head", placeholder: "A,B,..." }),
  labelLimit: z
    .int()
    .min(8)
    .optional()
    .describe(
      "Most training answers that labels of a model (monte-carlo, omega, spare) are made for; held out as many in proportion. Default: all.",
    )
    .meta({ group: "Head" }),
  features: z
    .string()
    .optional()
    .describe(
      `What heads look at; of several, separated by commas, cross-validation chooses. Default: ${freeFeatureSets}, which cost nothing when the head is used.`,
    )
    .meta({ group: "Head", placeholder: "A,B,..." }),
  kind: z
    .enum(headKinds)
    .default("best")
    .describe("A linear head, one with a hidden layer, or the better by cross-validation.")
    .meta({ group: "Head" }),
  calibration: z
    .enum(calibrations)
    .default("temperature")
    .describe("How scores are made to mean shares of right steps.")
    .meta({ group: "Head" }),
  rule: z
    .enum(thresholdRules)
    .default("budget")
    .describe(
      "Where the threshold lies: as high as --target-share allows, but not above the target's own steps; at the mean label of these steps; or where the expected step is best.",
    )
    .meta({ group: "Head" }),
  targetShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe("Share of the draft's tokens that may be rewritten, for the rule budget.")
    .meta({ group: "Head" }),

  out: z
    .string()
    .default("reward-head.safetensors")
    .describe("The head's file.")
    .meta({ group: "Output", placeholder: "FILE" }),
  work: z
    .string()
    .optional()
    .describe(
      "Folder of everything made on the way, gone on with if it holds this training; default: OUT.work.",
    )
    .meta({ group: "Output", placeholder: "DIR" }),
  report: z
    .string()
    .optional()
    .describe("Write a page with the figures, the reliability diagram and the ROC curve.")
    .meta({ group: "Output", placeholder: "FILE" }),
  json: jsonField,
});

export type TrainRewardSettings = z.output<typeof trainRewardSchema>;

function heldOutFrom(text: string): number | string {
  if (!/^[\d.]+$/.test(text)) return text;
  const share = Number(text);
  if (share > 0 && share <= 0.9) return share;
  throw new StepwrightError("invalid-option", `${text} is no share of the questions to hold out`, {
    remedy: "write a share above 0 and up to 0.9, or name a file",
  });
}
