/** How tokens are drafted from a draft model's row, and what is told of it. */
import { type DraftRow, type Proposal, pointProposal } from "../../core/draft-tree.js";
import type { Sampling } from "../../core/model.js";
import { keyedUniform } from "../../core/random.js";
import { headLaw, lawWithout, pick, probabilityOf, type SparseLaw } from "../../core/sparse-law.js";
import type { DraftRequest } from "../../core/speculation.js";
import type { Token } from "../../core/step.js";

/** `top`: the most probable ones, best first, which are points; the others are draws from the law. */
export type Draws = "independent" | "without-replacement" | "top";

export interface DrawOptions {
  readonly draws: Draws;
  /** Of the draft's law; by default the request's. At 0 the most probable tokens are taken. */
  readonly temperature?: number | undefined;
}

export const kindsOf: Readonly<Record<Draws, readonly Proposal["kind"][]>> = {
  independent: ["independent"],
  // At temperature 0 nothing is left to draw after the first token: the most probable ones follow, as points.
  "without-replacement": ["without-replacement", "point"],
  top: ["point"],
};

/** One drafted token, and the probability that the law of its draw gave it. */
export interface Draw {
  readonly token: Token;
  readonly probability: number;
  readonly proposal: Proposal;
}

/**
 * A uniform number for a draft. `path` are the ranks among siblings that lead to it. The block's start is in the
 * purpose: a position is drafted anew in the next block, and its old number is not independent of what came of it.
 */
export function draftUniform(request: DraftRequest, path: readonly number[], purpose = ""): number {
  const { sampling, key, tokens } = request;
  const position = tokens.length + path.length - 1;
  return keyedUniform(sampling.seed, key, position, `draft:${tokens.length}:${path.join(".")}${purpose}`);
}

/** The law that drafts at a place come from. Distinct drafts at temperature 0 come from the plain one, by rank. */
export function placeLaw(row: DraftRow, sampling: Sampling, { draws, temperature }: DrawOptions) {
  const used = { ...sampling, temperature: temperature ?? sampling.temperature };
  if (used.temperature > 0 || draws === "independent") return { law: headLaw(row.topK, used), draws };
  const plain = { ...used, temperature: 1, topK: 0, topP: 1, minP: 0 };
  return { law: headLaw(row.topK, plain), draws: "top" as const };
}

/** The drafts at one place, one after the other. */
export class Picker {
  readonly law: SparseLaw;
  readonly draws: Draws;
  readonly #uniform: (rank: number) => number;
  /** What is left to draw from; null when nothing is. */
  #left: SparseLaw | null;
  readonly #taken = new Set<Token>();
  #count = 0;

  constructor(law: SparseLaw, draws: Draws, uniform: (rank: number) => number) {
    this.law = law;
    this.#left = law;
    this.draws = draws;
    this.#uniform = uniform;
  }

  /** Draws made so far. */
  get count(): number {
    return this.#count;
  }

  /** Null where every token of the law has been taken. */
  next(): Draw | null {
    const { law } = this;
    const left = this.#left;
    if (!left) return null;
    const rank = this.#count++;
    if (this.draws === "independent") {
      const token = pick(law, this.#uniform(rank));
      return { token, probability: probabilityOf(token, law), proposal: { kind: "independent", law } };
    }
    const token = this.draws === "top" ? mostProbable(left) : pick(left, this.#uniform(rank));
    this.#taken.add(token);
    this.#left = lawWithout(law, this.#taken);
    const proposal: Proposal = this.draws === "top" ? pointProposal : { kind: "without-replacement", law };
    return { token, probability: probabilityOf(token, left), proposal };
  }
}

/** The lower id first among equals. */
export function mostProbable({ tokens, probabilities }: SparseLaw): Token {
  let best = 0;
  for (const [index, p] of probabilities.entries()) if (p > probabilities[best]!) best = index;
  return tokens[best]!;
}
