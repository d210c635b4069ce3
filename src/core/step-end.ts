/** What a written step means for the answer, in one place. */
import { type Extension, noUsage } from "./model.js";
import type { Finish, Node } from "./search.js";

export interface StepLimits {
  readonly maxTokens: number;
  readonly maxSteps: number;
}

/** How many tokens the next step may have by the caller's limits, and by what the budget leaves. */
export interface StepRoom {
  readonly cap: number;
  readonly allowance: number;
}

/** Why the answer is over after this step, or null if it goes on. A step cut by its own cap is no end. */
export function finishOf(
  parent: Node,
  extension: Extension,
  room: StepRoom,
  limits: StepLimits,
): Finish | null {
  if (extension.stop === "end") return "stop";
  const written = extension.tokens.length;
  if (extension.stop === "cap" && written >= room.allowance && room.allowance < room.cap) return "budget";
  if (extension.stop === "context") return "length";
  const text = extension.text.trim();
  if (text === "" || text === parent.step?.text.trim()) return "stalled";
  if (parent.tokens + written >= limits.maxTokens || parent.depth + 1 >= limits.maxSteps) return "length";
  return null;
}

/** Stands for a step that had no room to begin. */
export function noRoom(vocabulary: string): Extension {
  return { text: "", tokens: [], vocabulary, stop: "context", logprobs: [], entropies: [], usage: noUsage };
}

/** What is wrong with what a back end returned, or undefined. */
export function extensionProblem(extension: Extension, allowance: number): string | undefined {
  const { tokens, text, logprobs, entropies, usage } = extension;
  if (typeof text !== "string" || !Array.isArray(tokens)) return "returned no text or no tokens";
  if (tokens.length > allowance) return `wrote ${tokens.length} tokens where ${allowance} were allowed`;
  if (logprobs.length !== tokens.length || entropies.length !== tokens.length) {
    return "returned figures for another number of tokens than it wrote";
  }
  if (!logprobs.every(Number.isFinite) || !entropies.every(Number.isFinite)) {
    return "gave a probability that is not a finite number";
  }
  for (const figure of Object.values(usage)) {
    if (!(figure >= 0 && Number.isFinite(figure))) return "reported a cost that is not a number";
  }
  if (tokens.length === 0 && extension.stop !== "context") return "wrote nothing and gave no reason";
  return undefined;
}
