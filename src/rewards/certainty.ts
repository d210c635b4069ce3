/** How sure a model was of a step: one number from 0 to 1, out of the probabilities of its tokens. */
import { StepwrightError } from "../core/errors.js";
import type { Step } from "../core/step.js";

/** What of a step its certainty is taken from: natural logarithms, as a step carries them. */
export type TokenFigures = Pick<Step, "logprobs" | "entropies">;

export const certainties = {
  /** Probability of the least probable token. */
  least: ({ logprobs }) => Math.exp(Math.min(0, ...logprobs)),
  /** Geometric mean of the tokens' probabilities. */
  mean: ({ logprobs }) => Math.exp(Math.min(0, sum(logprobs) / logprobs.length)),
  /** Probability of the whole step: falls with its length. */
  product: ({ logprobs }) => Math.exp(Math.min(0, sum(logprobs))),
  /** e to the minus greatest entropy: 1 where every choice was clear, 1/2 where one was between two equals. */
  entropy: ({ entropies }) => Math.exp(-Math.max(0, ...entropies)),
  /**
   * Of the token that was least what its law led to expect: e to the least of ln p + H. 1 where nothing was less probable
   * than the law's own draws are on average, near 0 only where the law was sure of another token.
   */
  typical: (figures) => Math.exp(leastTypical(figures)),
} as const satisfies Record<string, (figures: TokenFigures) => number>;

export type Certainty = keyof typeof certainties;

/** The least ln p + H of the tokens, at most 0. */
export function leastTypical({ logprobs, entropies }: TokenFigures): number {
  return Math.min(0, ...logprobs.map((logprob, place) => logprob + entropies[place]!));
}

/** Throws `reward-failed` where the writer gave no such figures; a number that is none stays one, and is refused later. */
export function certainty(kind: Certainty, figures: TokenFigures): number {
  const ofLaw = kind === "entropy" || kind === "typical";
  const { logprobs, entropies } = figures;
  if ((ofLaw ? entropies : logprobs).length > 0) return certainties[kind](figures);
  throw new StepwrightError("reward-failed", "the step's writer gave no token probabilities", {
    subject: "reward",
    remedy: "use a local GGUF model as the writer, or a reward that reads text: judge:target",
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
