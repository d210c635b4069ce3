/** A conversation in a model's own chat template, as text segments ready to be tokenized. */
import { StepwrightError } from "../core/errors.js";
import type { ChatMessage } from "../core/model.js";
import { renderInProcess, type TemplateLimits } from "./chat-template-process.js";
import type { TemplateRequest } from "./chat-template-render.js";
import {
  breakControls,
  breakEverywhere,
  countControls,
  hasRemains,
  isSuspect,
  newSeam,
  type Segment,
  segmentsOf,
  withoutSeams,
} from "./chat-template-segments.js";

export type { Segment } from "./chat-template-segments.js";

export interface ChatOptions extends TemplateLimits {
  /** Text of the begin token, "" where there is none: templates write it themselves. */
  readonly beginToken: string;
  readonly endToken: string;
  /** Whether the assistant's turn is opened. */
  readonly addGenerationPrompt: boolean;
  /** Texts of all control tokens (`TokenizerFacts.special`): what contents must not be able to forge. */
  readonly controlTokens: readonly string[];
}

/**
 * Renders a conversation. Contents that hold the text of a control token keep it, as plain text. Where a template
 * refuses system messages, the system text opens the first user message instead. A model without a template gets
 * `plainChat`. Throws `template-invalid`, `template-limit` or `aborted`.
 */
export async function renderChat(
  template: string | null,
  messages: readonly ChatMessage[],
  options: ChatOptions,
): Promise<Segment[]> {
  if (template === null) return plainChat(messages, options);
  try {
    return await renderSegments(template, messages, options);
  } catch (error) {
    const folded = foldSystem(messages);
    if (!StepwrightError.is(error, "template-invalid") || folded === undefined) throw error;
    try {
      return await renderSegments(template, folded, options);
    } catch {
      // The first refusal says more about the template than the second.
      throw error;
    }
  }
}

/** The form for models without a template: system text, then "User:" and "Assistant:" paragraphs. */
export function plainChat(messages: readonly ChatMessage[], options: ChatOptions): Segment[] {
  const names = { system: "", user: "User: ", assistant: "Assistant: " } as const;
  const text =
    messages.map(({ role, content }) => `${names[role]}${content}\n\n`).join("") +
    (options.addGenerationPrompt ? "Assistant:" : "");
  const begin = options.beginToken === "" ? [] : [{ text: options.beginToken, special: true }];
  return [...begin, { text, special: false }];
}

async function renderSegments(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatOptions,
): Promise<Segment[]> {
  const { beginToken, endToken, addGenerationPrompt } = options;
  const controls = [...new Set(options.controlTokens)].filter((control) => control.length > 1);
  const render = (contents: readonly ChatMessage[]) => {
    const request: TemplateRequest = {
      template,
      messages: contents,
      beginToken,
      endToken,
      addGenerationPrompt,
    };
    return renderInProcess(request, options);
  };
  const plain = await render(messages);
  if (!messages.some(({ content }) => isSuspect(content, controls))) return [{ text: plain, special: true }];

  const seam = newSeam([template, ...messages.map(({ content }) => content)].join(""));
  const renderBroken = async (breakUp: typeof breakEverywhere) => {
    const broken = messages.map(({ role, content }) => ({ role, content: breakUp(content, controls, seam) }));
    try {
      return await render(broken);
    } catch (error) {
      if (StepwrightError.is(error, "template-invalid")) return undefined;
      throw error;
    }
  };
  // No special token can come out of contents broken everywhere; most templates do not notice the seams.
  const safe = await renderBroken(breakEverywhere);
  if (safe !== undefined && withoutSeams(safe, seam) === plain) return segmentsOf(safe, controls, seam);
  // One that looks for "</think>" in contents does. Fewer seams serve it, if no more special tokens come out.
  if (safe !== undefined) {
    const light = await renderBroken(breakControls);
    const isFaithful = light !== undefined && withoutSeams(light, seam) === plain;
    if (isFaithful && sameControls(light, safe, controls)) return segmentsOf(light, controls, seam);
    if (!hasRemains(safe, seam)) return segmentsOf(safe, controls, seam);
  }
  throw new StepwrightError(
    "template-invalid",
    "the chat template changes message contents so that they cannot be told from its own special tokens",
    { remedy: "take control-token texts out of the messages, or give the model another chat template" },
  );
}

function sameControls(one: string, other: string, controls: readonly string[]): boolean {
  return countControls(one, controls).join() === countControls(other, controls).join();
}

/** The system message put before the first user message; undefined without both. */
function foldSystem(messages: readonly ChatMessage[]): ChatMessage[] | undefined {
  const [system, user, ...rest] = messages;
  if (system?.role !== "system" || user?.role !== "user") return undefined;
  return [{ role: "user", content: `${system.content}\n\n${user.content}` }, ...rest];
}
