/**
 * A process reward model whose own head the server runs: vLLM's pooling route, with a row at every step's mark or at
 * every token. Only the last row is used, so the text is sent up to the step that is asked about.
 */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import { defineRewardKind } from "./kind.js";
import { createModelReward, requireCapability } from "./model-reward.js";
import type { Reader } from "./reader.js";
import { createStepLayout } from "./step-token.js";
import { stepTokenFormats } from "./step-token-formats.js";
import valueHead, { createValueLayout } from "./value-head.js";

const schema = z.strictObject({
  preset: z
    .enum(["skywork", "qwen2.5-math-prm"])
    .default("qwen2.5-math-prm")
    .describe("the format the model was trained on"),
  begin: z.string().max(64).optional().describe("skywork: token that opens the sequence; empty for none"),
  separator: z.string().min(1).max(64).optional().describe("skywork: text whose last token ends a step"),
  marker: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("qwen2.5-math-prm: text of the one token after each step"),
  system: z.string().max(8192).optional().describe("qwen2.5-math-prm: system text"),
});

type Options = z.output<typeof schema>;

export default defineRewardKind({
  name: "remote",
  essence: "a reward model with a head, served by vLLM: remote:http://host:port/v1#model",
  source: "vLLM's pooling route (task token_classify); formats as in value-head and step-token",
  schema,
  presets: {
    skywork: valueHead.presets.skywork!,
    "qwen2.5-math-prm": stepTokenFormats["qwen2.5-math-prm"].facts,
  },
  async open(name, reference, options, context) {
    const model = await context.openModel(reference);
    requireCapability(model, "pooling", "remote");
    const reader: Reader = {
      model,
      layout: await layoutOf(model, options),
      ask: { hidden: true },
      judge: ({ hidden }) => ({ value: scoreOf(hidden!, model), mass: 1 }),
    };
    return createModelReward(reader, {
      name,
      essence: `head of ${model.name} on its server (${options.preset})`,
      leastMass: 0,
    });
  },
});

function layoutOf(model: Model, options: Options): Promise<Reader["layout"]> {
  if (options.preset === "skywork") return createValueLayout(model, options);
  const { frame, marker, ...format } = stepTokenFormats["qwen2.5-math-prm"];
  return createStepLayout(model, {
    ...format,
    frame: { ...frame, system: options.system ?? frame.system },
    marker: { ...marker, text: options.marker ?? marker.text },
  });
}

/** The server applies the activation: one output is the score, of two classes the second is. */
function scoreOf(row: Float32Array, model: Model): number {
  if (row.length === 1 || row.length === 2) return row.at(-1)!;
  throw new StepwrightError(
    "reward-invalid",
    `${model.name} has a head with ${row.length} outputs, not 1 or 2`,
    {
      subject: model.name,
      remedy: "serve a process reward model; a language model judges by judge: or step-token:",
    },
  );
}
