/** The chat form of scripted models. */
import type { ChatMessage } from "../core/model.js";

// Messages are set between control characters, which contents cannot hold.
const [roleMark, textMark, closeMark] = ["\u0002", "\u0001", "\u0003"];

export function renderScriptedChat(messages: readonly ChatMessage[]): string {
  const parts = messages.map(({ role, content }) => {
    const text = content.replaceAll(roleMark, "").replaceAll(textMark, "").replaceAll(closeMark, "");
    return `${roleMark}${role}${textMark}${text}${closeMark}`;
  });
  return `${parts.join("")}${roleMark}assistant${textMark}`;
}

/** The messages of a prompt; none if it was not rendered here. */
export function messagesOf(prompt: string): { role: string; content: string }[] {
  const parts = prompt.split(roleMark).filter((part) => part.endsWith(closeMark));
  return parts.map((part) => {
    const [role, content] = part.slice(0, -1).split(textMark) as [string, string];
    return { role, content };
  });
}

/** The last user message; the whole prompt if it was not rendered here. */
export function questionOf(prompt: string): string {
  const start = prompt.lastIndexOf(`${roleMark}user${textMark}`);
  if (start < 0) return prompt;
  const from = start + "user".length + 2;
  return prompt.slice(from, prompt.indexOf(closeMark, from));
}
