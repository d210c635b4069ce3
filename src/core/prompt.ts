/** What a run's models go on from. */
import { z } from "zod";
import type { CallOptions, ChatMessage, Model } from "./model.js";
import type { Passage } from "./step.js";

/** A conversation in each model's own chat template, a plain text, or token ids with their text. */
export type Prompt = readonly ChatMessage[] | string | Passage;

export const messagesSchema = z
  .array(z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() }))
  .min(1);

export const promptSchema = z.union([
  messagesSchema,
  z.string().min(1),
  z.object({ text: z.string(), tokens: z.array(z.int().min(0)).min(1), vocabulary: z.string() }),
]);

export function isConversation(prompt: Prompt): prompt is readonly ChatMessage[] {
  return Array.isArray(prompt);
}

/** The prompt in a model's own ids. Only a chat template's own text may name special tokens. */
export async function promptPassage(
  model: Pick<Model, "renderChat" | "tokenize" | "vocabulary">,
  prompt: Prompt,
  options?: CallOptions,
): Promise<Passage> {
  if (isConversation(prompt)) return model.renderChat(prompt, options);
  const text = typeof prompt === "string" ? prompt : prompt.text;
  const { vocabulary } = model;
  if (typeof prompt !== "string" && prompt.vocabulary === vocabulary) return prompt;
  return { text, tokens: await model.tokenize(text), vocabulary };
}
