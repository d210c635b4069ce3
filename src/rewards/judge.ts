/**
 * A chat model asked about the last step. The answer is not generated: its law is read from the logits after
 * one prefill of the new step and the short question, which is rolled back before the next step is read.
 */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Token } from "../core/step.js";
import { judgeMessages } from "./judge-prompt.js";
import { type CheckedReward, defineRewardKind } from "./kind.js";
import { logSumExp, twoSided } from "./law.js";
import { spellings } from "./markers.js";
import { createModelReward, requireCapability } from "./model-reward.js";
import type { Reader } from "./reader.js";

const yesWords = ["Yes", "yes", "YES"];
const noWords = ["No", "no", "NO"];
const digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

export const judgeSchema = z.strictObject({
  scale: z
    .enum(["yes-no", "digit"])
    .default("yes-no")
    .describe("yes-no: P(yes) / (P(yes) + P(no)); digit: a grade from 0 to 9, divided by 9"),
  read: z
    .enum(["expected", "greedy"])
    .default("expected")
    .describe("of the digit's law: its mean, which separates steps finely, or its most probable digit"),
  examples: z
    .enum(["yes", "no"])
    .default("yes")
    .describe("four judged examples before the question, read once when opening: small models need them"),
  lead: z
    .string()
    .max(1024)
    .default("")
    .describe("text put into the judge's mouth before its answer, for models that would think first"),
});

export default defineRewardKind({
  name: "judge",
  essence: "a chat model's opinion of the last step, read from its next-token law",
  source: "SpecReason (arXiv 2504.07891) for the digit; P(yes) in one prefill: card process-reward-models",
  schema: judgeSchema,
  presets: {},
  async open(name, reference, options, context) {
    return openJudge(await context.openModel(reference), options, name);
  },
});

/** Throws `reward-invalid` for a model that cannot say yes or no in one token; nothing is read. */
export async function refuseMute(model: Model): Promise<void> {
  await yesNo(model);
}

/** Throws `missing-capability`, or `reward-invalid` for a model that does not answer as it is asked. */
export async function openJudge(
  model: Model,
  { scale, read, lead, examples }: z.output<typeof judgeSchema>,
  name: string,
): Promise<CheckedReward> {
  requireCapability(model, "candidates", "judge");
  const leadIds = lead === "" ? [] : await model.tokenize(lead);
  const answer = scale === "yes-no" ? await yesNo(model) : await digit(model, read);
  const reader: Reader = {
    model,
    async layout(question, steps) {
      const texts = steps.map(({ text }) => text.trim());
      const messages = judgeMessages({ scale, examples: examples === "yes" }, question, texts);
      const { tokens } = await model.renderChat(messages);
      return [...tokens, ...leadIds];
    },
    ...answer,
  };
  return createModelReward(reader, {
    name,
    essence: `${model.name} as judge (${scale === "digit" ? `digit, ${read}` : "P(yes)"})`,
    // A judge that follows the instruction puts most mass here; a base model still puts some.
    leastMass: 0.001,
  });
}

async function yesNo(model: Model): Promise<Pick<Reader, "ask" | "judge">> {
  const yes = await answers(model, yesWords);
  const no = await answers(model, noWords);
  return {
    ask: { tokens: [...yes, ...no] },
    judge: ({ tokens }) => twoSided(tokens!.slice(0, yes.length), tokens!.slice(yes.length)),
  };
}

async function digit(model: Model, read: "expected" | "greedy"): Promise<Pick<Reader, "ask" | "judge">> {
  const spelled = await Promise.all(digits.map((text) => answers(model, [text])));
  const worth = spelled.flatMap((ids, value) => ids.map(() => value));
  return {
    ask: { tokens: spelled.flat() },
    judge({ tokens }) {
      const total = logSumExp(tokens!);
      const law = digits.map((_, value) =>
        tokens!.reduce(
          (sum, logprob, at) => (worth[at] === value ? sum + Math.exp(logprob - total) : sum),
          0,
        ),
      );
      const grade =
        read === "greedy"
          ? law.indexOf(Math.max(...law))
          : law.reduce((sum, share, value) => sum + share * value, 0);
      // Of no mass at all nothing can be said: not a number, which no policy takes for a score.
      return { value: Number.isFinite(total) ? grade / 9 : Number.NaN, mass: Math.exp(total) };
    },
  };
}

async function answers(model: Model, words: readonly string[]): Promise<Token[]> {
  const ids = await spellings(model, words);
  if (ids.length > 0) return ids;
  throw new StepwrightError(
    "reward-invalid",
    `"${words[0]}" is not one token in the vocabulary of ${model.name}`,
    {
      subject: model.name,
      remedy: "use another judge model, or the other scale (?scale=digit, ?scale=yes-no)",
    },
  );
}
