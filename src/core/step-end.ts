/** What a written step means for the answer, in one place. */
import { type Extension, noUsage } from "./model.js";
import type { Finish } from "./search.js";
import type { SearchNode } from "./search-node.js";
import type { Splitter } from "./step.js";

export interface StepLimits {
  readonly maxTokens: number;
  readonly maxSteps: number;
}

/** How many tokens the next step may have by the caller's limits, and by what the budget leaves. */
export interface StepRoom {
  readonly cap: number;
  readonly allowance: number;
  /** What was to end the step; null for a forced one. */
  readonly splitter: Splitter | null;
  /** Whether it counts to the limit of steps. */
  readonly isWhole: boolean;
  /** Another writer goes on where the budget breaks the step off. */
  readonly handsOver?: boolean | undefined;
}

/** Why the answer is over after this step, or null if it goes on. A step cut by its own cap is no end. */
export function finishOf(
  parent: Pick<SearchNode, "tokens" | "wholeSteps" | "step">,
  extension: Extension,
  { cap, allowance, splitter, isWhole, handsOver }: StepRoom,
  limits: StepLimits,
): Finish | null {
  if (extension.stop === "end") return "stop";
  const written = extension.tokens.length;
  const brokenOff = extension.stop === "cap" && written >= allowance && allowance < cap;
  if (brokenOff && !handsOver) return "budget";
  if (extension.stop === "context") return "length";
  const text = extension.text.trim();
  const repeats = text === "" || text === parent.step?.text.trim();
  if (repeats && !brokenOff && extension.stop !== "cut" && isGuarded(splitter)) return "stalled";
  const isLong = parent.tokens + written >= limits.maxTokens;
  return isLong || parent.wholeSteps + (isWhole ? 1 : 0) >= limits.maxSteps ? "length" : null;
}

/** Pieces of a step may well be blank or alike; only of whole steps is that a loop. */
function isGuarded(splitter: Splitter | null): boolean {
  return splitter !== null && splitter.kind !== "marks" && splitter.kind !== "entropy";
}

/** Stands for a step that had no room to begin. */
export function noRoom(vocabulary: string): Extension {
  return { text: "", tokens: [], vocabulary, stop: "context", logprobs: [], entropies: [], usage: noUsage };
}

/** Stands for a step that was cut off before it had begun. */
export function cutShort(vocabulary: string): Extension {
  return { ...noRoom(vocabulary), stop: "cut" };
}

/** What is wrong with what a back end returned, or undefined. */
export function extensionProblem(extension: Extension, allowance: number): string | undefined {
  const { tokens, text, logprobs, entropies, stop, usage } = extension;
  if (typeof text !== "string" || !Array.isArray(tokens)) return "returned no text or no tokens";
  if (tokens.length > allowance) return `wrote ${tokens.length} tokens where ${allowance} were allowed`;
  // A back end that cannot tell its probabilities gives none at all.
  const told = logprobs.length === 0 && entropies.length === 0 ? 0 : tokens.length;
  if (logprobs.length !== told || entropies.length !== told) {
    return "returned figures for another number of tokens than it wrote";
  }
  if (!logprobs.every(Number.isFinite) || !entropies.every(Number.isFinite)) {
    return "gave a probability that is not a finite number";
  }
  for (const figure of Object.values(usage)) {
    if (!(figure >= 0 && Number.isFinite(figure))) return "reported a cost that is not a number";
  }
  if (tokens.length === 0 && stop !== "context" && stop !== "cut") return "wrote nothing and gave no reason";
  return undefined;
}
