/** Conversations as ids on servers that render templates and tokenize, with contents that cannot forge roles. */
import { StepwrightError } from "../../core/errors.js";
import type { ChatMessage } from "../../core/model.js";
import type { Token } from "../../core/step.js";
import type { Held } from "./dialect.js";
import { harmlessPieces, isSuspect, splitAround } from "./safe-text.js";

export interface ChatTools {
  /** The server's rendering, tokenized by the server. */
  render(messages: readonly ChatMessage[]): Promise<Held>;
  /** `special`: whether texts of control tokens are control tokens. */
  tokenize(text: string, special: boolean): Promise<readonly Token[]>;
  /** True where `tokenize` without `special` is safe by itself. */
  readonly plainIsSafe: boolean;
}

export async function renderSafely(messages: readonly ChatMessage[], tools: ChatTools): Promise<Held> {
  if (!messages.some(({ content }) => isSuspect(content))) return tools.render(messages);
  // Words of letters only: no template takes them for anything else.
  const words = messages.map(
    (_, index) => `content${"abcdefghij"[index % 10]}${"x".repeat(index / 10 + 3)}end`,
  );
  const stand = messages.map(({ role }, index) => ({ role, content: words[index]! }));
  const { text } = await tools.render(stand);
  const parts = splitAround(text, words);
  if (!parts) {
    throw new StepwrightError(
      "template-invalid",
      "the server's chat template does not show every message once",
      {
        remedy: "take control-token texts out of the messages",
      },
    );
  }
  const tokens: Token[] = [];
  for (const [index, part] of parts.entries()) {
    if (part !== "") tokens.push(...(await tools.tokenize(part, true)));
    // Templates trim contents; so is the one that stands for a content.
    const content = messages[index]?.content.trim() ?? "";
    const pieces = tools.plainIsSafe ? [content].filter(Boolean) : harmlessPieces(content);
    for (const piece of pieces) tokens.push(...(await tools.tokenize(piece, false)));
  }
  const whole = parts.map((part, index) => part + (messages[index]?.content.trim() ?? "")).join("");
  return { text: whole, tokens };
}
