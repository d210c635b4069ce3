/** A call of the AI SDK as a chat request; what the server has no place for becomes a warning. */
import type { LanguageModelV3CallOptions, LanguageModelV3Prompt, SharedV3Warning } from "@ai-sdk/provider";
import type { ModelSettings } from "./language-model.js";

export function requestOf(
  model: string,
  settings: ModelSettings,
  options: LanguageModelV3CallOptions,
  streamed: boolean,
): { body: object; warnings: SharedV3Warning[] } {
  const warnings: SharedV3Warning[] = [];
  const unsupported = (feature: string, given: unknown) => {
    if (given !== undefined) warnings.push({ type: "unsupported", feature });
  };
  unsupported("presencePenalty", options.presencePenalty || undefined);
  unsupported("frequencyPenalty", options.frequencyPenalty || undefined);
  unsupported("tools", options.tools?.length ? options.tools : undefined);
  unsupported("responseFormat", options.responseFormat?.type === "json" ? "json" : undefined);
  const extension = { ...settings, ...options.providerOptions?.stepwright };
  const body = {
    model,
    messages: messagesOf(options.prompt, warnings),
    max_tokens: options.maxOutputTokens,
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    stop: options.stopSequences?.length ? options.stopSequences : undefined,
    seed: options.seed,
    ...(Object.keys(extension).length > 0 && { stepwright: extension }),
    ...(streamed && { stream: true, stream_options: { include_usage: true } }),
  };
  return { body, warnings };
}

interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

function messagesOf(prompt: LanguageModelV3Prompt, warnings: SharedV3Warning[]): Message[] {
  return prompt.flatMap<Message>(({ role, content }) => {
    if (role === "system") return [{ role, content }];
    if (role === "tool") {
      warnings.push({ type: "unsupported", feature: "tool messages" });
      return [];
    }
    const texts = content.flatMap((part) => {
      if (part.type === "text") return [part.text];
      if (part.type !== "reasoning") warnings.push({ type: "unsupported", feature: `${part.type} parts` });
      return [];
    });
    return [{ role, content: texts.join("\n") }];
  });
}
