/** The body of a chat completion. */
import { z } from "zod";
import type { ChatMessage } from "../../core/model.js";
import { ApiError } from "../api-error.js";
import type { JsonObject } from "../body.js";
import type { HttpLimits } from "../limits.js";
import { askFields } from "./ask.js";
import { parseFields } from "./issue.js";
import type { Ask } from "./order.js";
import { plainText } from "./text.js";
import { ignoredFields, refuseUnsupported } from "./unsupported.js";

const content = z.union([
  plainText,
  z
    .array(z.object({ type: z.literal("text", "only text is read"), text: plainText }))
    .transform((parts) => parts.map(({ text }) => text).join("")),
]);

const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant"]),
  content,
});

function chatSchema(limits: HttpLimits) {
  return z.object({
    ...askFields(limits),
    messages: z.array(message).min(1).max(limits.messages),
    max_completion_tokens: z.int().min(1).nullish(),
    logprobs: z.boolean().nullish(),
  });
}

/** Throws 400 with the field's name. */
export function chatAsk(body: JsonObject, limits: HttpLimits): Ask {
  refuseUnsupported(body);
  const schema = chatSchema(limits);
  const fields = parseFields(schema, body);
  const messages = fields.messages.map(
    ({ role, content }): ChatMessage => ({ role: role === "developer" ? "system" : role, content }),
  );
  const last = messages.at(-1)!;
  if (last.role !== "user") throw badMessages("the last message must be the user's", messages.length - 1);
  if (last.content.trim() === "") throw badMessages("the last message is empty", messages.length - 1);
  return {
    fields,
    maxTokens: fields.max_completion_tokens ?? fields.max_tokens ?? undefined,
    maxTokensParam: fields.max_completion_tokens == null ? "max_tokens" : "max_completion_tokens",
    prompt: messages,
    question: questionOf(messages),
    system: systemOf(messages),
    logprobs: fields.logprobs === true,
    ignored: ignoredFields(body, Object.keys(schema.shape)),
  };
}

function badMessages(problem: string, index: number): ApiError {
  return new ApiError(400, "invalid_value", `messages: ${problem}`, { param: `messages[${index}]` });
}

/** What a reward reads: the one question, or all that was said before the answer. */
function questionOf(messages: readonly ChatMessage[]): string {
  const said = messages.filter(({ role }) => role !== "system");
  if (said.length === 1) return said[0]!.content;
  return said
    .map(({ role, content }) => `${role === "user" ? "User" : "Assistant"}: ${content}`)
    .join("\n\n");
}

function systemOf(messages: readonly ChatMessage[]): string | null {
  const texts = messages.filter(({ role }) => role === "system").map(({ content }) => content);
  return texts.length === 0 ? null : texts.join("\n\n");
}
