/**
 * Many judgements of the same responses made into one score for each: the responses shuffled anew for every
 * judgement, a filter that keeps the judgements most likely to be right, and the mean of those kept.
 * Source: Liu et al., Inference-Time Scaling for Generalist Reward Modeling, arXiv 2504.02495, section 4.
 */
import { keyedUniform } from "../core/random.js";

/** One parsed judgement, its scores back in the responses' own order. */
export interface Vote {
  /** Whole numbers from 1 to 10, one for each response. */
  readonly scores: readonly number[];
  /** Mean log-probability of the judgement's tokens under the judge. */
  readonly meanLogprob: number;
  /** Length of the judgement in tokens. */
  readonly tokens: number;
}

/** `order[place]` is the response shown at that place; drawn for (seed, key). */
export function shuffledOrder(count: number, seed: number, key: string): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(keyedUniform(seed, key, last, "shuffle") * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** Scores by place shown, put back into the responses' order. */
export function unshuffled(scores: readonly number[], order: readonly number[]): number[] {
  const restored = new Array<number>(scores.length);
  for (const [place, response] of order.entries()) restored[response] = scores[place]!;
  return restored;
}

/** What the filter sees of a judgement, in this order. Agreement: minus the mean distance to the other votes' mean. */
export const voteFeatures = ["meanLogprob", "logTokens", "agreement"] as const;

export function featuresOf(vote: Vote, votes: readonly Vote[]): Float32Array {
  const others = votes.filter((other) => other !== vote);
  const distances = vote.scores.map((score, index) =>
    others.length === 0 ? 0 : Math.abs(score - mean(others.map((other) => other.scores[index]!))),
  );
  return Float32Array.of(vote.meanLogprob, Math.log(vote.tokens), -mean(distances));
}

/** Those `keep` votes to which the filter gives most, the earlier of equals; in their own order. */
export async function keepBest(
  votes: readonly Vote[],
  keep: number,
  filter: (features: Float32Array) => Promise<number>,
): Promise<Vote[]> {
  const trust = await Promise.all(votes.map((vote) => filter(featuresOf(vote, votes))));
  const ranked = votes.map((_, index) => index).sort((a, b) => trust[b]! - trust[a]! || a - b);
  const kept = new Set(ranked.slice(0, keep));
  return votes.filter((_, index) => kept.has(index));
}

/** The mean score of each response, in [1, 10]; ranks as the sum does, and void judgements cannot pull it down. */
export function tally(votes: readonly Vote[]): number[] {
  const responses = votes[0]!.scores.length;
  return Array.from({ length: responses }, (_, index) => mean(votes.map(({ scores }) => scores[index]!)));
}

/** A judgement is right if the best response alone has the highest score: a tie is wrong. The filter's label. */
export function isRightVote({ scores }: Pick<Vote, "scores">, best: number): boolean {
  return scores.every((score, index) => index === best || score < scores[best]!);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
