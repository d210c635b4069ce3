/**
 * A model with a head on its hidden states, read at the separator after each step (Skywork-o1-Open-PRM).
 * Ids as its authors build them: every step is encoded alone, then the separator's last id.
 */
import { z } from "zod";
import type { Model } from "../core/model.js";
import type { Step, Token } from "../core/step.js";
import { createHead, headTensorNames } from "./head.js";
import { defineRewardKind } from "./kind.js";
import { beginTokens } from "./markers.js";
import { createModelReward, requireCapability } from "./model-reward.js";
import type { Reader } from "./reader.js";
import { bareStep } from "./step-text.js";

interface Format {
  /** Text of the token that opens the sequence; empty for none. */
  readonly begin: string;
  readonly separator: string;
}

const formats: Record<"skywork", Format> = {
  // Qwen2.5 opens with this token where it opens with any; the paper's loop splits at blank lines.
  skywork: { begin: "<|endoftext|>", separator: "\n\n" },
};

export default defineRewardKind({
  name: "value-head",
  essence: "a head on the model's hidden state at the end of each step",
  source: "Skywork-o1-Open-PRM inference code; card process-reward-models",
  schema: z.strictObject({
    preset: z.enum(["skywork"]).default("skywork").describe("the format the model was trained on"),
    head: z.string().min(1).optional().describe("file with the head, where the model file holds none"),
    begin: z.string().max(64).optional().describe("token that opens the sequence; empty for none"),
    separator: z.string().min(1).max(64).optional().describe("text whose last token ends a step"),
  }),
  presets: {
    skywork: {
      models: "Skywork-o1-Open-PRM-Qwen-2.5-1.5B and -7B",
      template:
        "opening token, question, line break; then each step encoded alone and the separator's last token",
      delimiter: "blank line as in RSD; the model's own card splits at single line breaks (?separator=%0A)",
      licence: "Skywork Community License (commercial use under its terms)",
      threshold: "0.7 in RSD with Qwen2.5-Math models; 0.6 to 0.9, calibrate for others",
    },
  },
  async open(name, reference, options, context) {
    const model = await context.openModel(reference);
    requireCapability(model, "hidden", "value-head");
    const source = options.head ?? reference;
    const head = createHead(await context.loadHead(source, headTensorNames), source);
    const reader: Reader = {
      model,
      ask: { hidden: true },
      layout: await createValueLayout(model, options),
      async judge({ hidden }) {
        return { value: await head.apply(hidden!), mass: 1 };
      },
    };
    return createModelReward(reader, {
      name,
      essence: `value head of ${model.name} (${options.preset})`,
      leastMass: 0,
    });
  },
});

/** Ids as Skywork builds them, or with another opening and separator. */
export async function createValueLayout(
  model: Model,
  {
    begin,
    separator = formats.skywork.separator,
  }: { begin?: string | undefined; separator?: string | undefined },
): Promise<Reader["layout"]> {
  const opening = await beginTokens(model, begin ?? formats.skywork.begin);
  const separatorId = (await model.tokenize(separator)).at(-1)!;
  const stepIds = new WeakMap<Pick<Step, "text">, readonly Token[]>();

  const encodeStep = async (step: Pick<Step, "text">): Promise<readonly Token[]> => {
    const known = stepIds.get(step);
    if (known) return known;
    const text = collapse(bareStep(step.text), separator);
    const ids = [...(text === "" ? [] : await model.tokenize(text)), separatorId];
    stepIds.set(step, ids);
    return ids;
  };

  return async (question, steps) => {
    const parts = await Promise.all([model.tokenize(`${question}\n`), ...steps.map(encodeStep)]);
    return [...opening, ...parts.flat()];
  };
}

/** Separators inside a step would look like further step ends: a run of line breaks becomes one, or a space. */
function collapse(text: string, separator: string): string {
  if (!text.includes(separator)) return text;
  const inner = separator.length > 1 && /^\n+$/.test(separator) ? "\n" : " ";
  return text
    .split(separator)
    .filter((piece) => piece !== "")
    .join(inner);
}
