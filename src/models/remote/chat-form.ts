/** A conversation as one text, for servers that take messages only: taken apart again when it is sent. */
import type { ChatMessage } from "../../core/model.js";

// Messages are set between control characters, which contents cannot hold.
const [roleMark, textMark, closeMark] = ["\u0002", "\u0001", "\u0003"];
const marks = new RegExp(`[${roleMark}${textMark}${closeMark}]`, "g");

export function chatForm(messages: readonly ChatMessage[]): string {
  const turns = messages.map(
    ({ role, content }) => `${roleMark}${role}${textMark}${content.replace(marks, "")}${closeMark}`,
  );
  return `${turns.join("")}${roleMark}assistant${textMark}`;
}

/** The messages, and what the assistant has written after them. A text that is no conversation is a user's message. */
export function conversation(text: string): { messages: ChatMessage[]; written: string } {
  const turns = text.split(roleMark).slice(1);
  const last = turns.pop();
  if (!text.startsWith(roleMark) || last === undefined) {
    return { messages: [{ role: "user", content: text }], written: "" };
  }
  const messages = turns.map((turn): ChatMessage => {
    const [role, content] = turn.slice(0, -1).split(textMark) as [ChatMessage["role"], string];
    return { role, content };
  });
  return { messages, written: last.slice(last.indexOf(textMark) + 1) };
}
