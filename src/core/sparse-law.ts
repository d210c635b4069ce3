/** Laws of the next token that are short enough to be listed: tempered, truncated and drawn from in plain numbers. */
import type { Candidate, Sampling } from "./model.js";
import type { Token } from "./step.js";

/** Every token that could be drawn, ids ascending and no id twice, with its probability; they add up to 1. */
export interface SparseLaw {
  readonly tokens: readonly Token[];
  readonly probabilities: readonly number[];
}

/** The law that is sampled from: temperature first, then top-k, top-p and min-p on the tempered law. */
export function processed(law: SparseLaw, sampling: Sampling): SparseLaw {
  const { tokens, probabilities } = law;
  const { temperature, topK, topP, minP } = sampling;
  if (temperature === 1 && topK === 0 && topP === 1 && minP === 0) return law;
  const order = tokens.map((_, index) => index);
  order.sort((a, b) => probabilities[b]! - probabilities[a]! || tokens[a]! - tokens[b]!);
  if (temperature === 0) return { tokens: [tokens[order[0]!]!], probabilities: [1] };
  const top = probabilities[order[0]!]!;
  const tempered = order.map((index) => (probabilities[index]! / top) ** (1 / temperature));
  const total = tempered.reduce((sum, p) => sum + p, 0);
  const kept: (readonly [Token, number])[] = [];
  let before = 0;
  for (const [rank, weight] of tempered.entries()) {
    const p = weight / total;
    const cut = (topK > 0 && rank >= topK) || before >= topP || weight < minP;
    if (rank > 0 && cut) break;
    kept.push([tokens[order[rank]!]!, p]);
    before += p;
  }
  kept.sort(([a], [b]) => a - b);
  return { tokens: kept.map(([token]) => token), probabilities: kept.map(([, p]) => p / before) };
}

/**
 * The law of a row's most probable tokens alone, processed as the request says: what a draft may be drawn from where
 * the whole row does not cross to JavaScript. It is a law of its own, and drafts from it are tested against it.
 */
export function headLaw(candidates: readonly Candidate[], sampling: Sampling): SparseLaw {
  const sorted = [...candidates].sort((a, b) => a.token - b.token);
  const most = Math.max(...sorted.map(({ logprob }) => logprob));
  const masses = sorted.map(({ logprob }) => Math.exp(logprob - most));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const law = {
    tokens: sorted.map(({ token }) => token),
    probabilities: masses.map((mass) => mass / total),
  };
  return processed(law, sampling);
}

/** The token at this point of the law's cumulative distribution, `uniform` in [0, 1). */
export function pick({ tokens, probabilities }: SparseLaw, uniform: number): Token {
  let left = uniform;
  for (const [index, p] of probabilities.entries()) {
    if (left < p) return tokens[index]!;
    left -= p;
  }
  return tokens.at(-1)!;
}

/** 0 for a token that the law does not list. */
export function probabilityOf(token: Token, { tokens, probabilities }: SparseLaw): number {
  const index = tokens.indexOf(token);
  return index < 0 ? 0 : probabilities[index]!;
}

/** In nats. */
export function entropyOf({ probabilities }: SparseLaw): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

/** The law without some of its tokens, renormalised; null where nothing is left. */
export function lawWithout(law: SparseLaw, taken: ReadonlySet<Token>): SparseLaw | null {
  const left = law.tokens.map((_, index) => index).filter((index) => !taken.has(law.tokens[index]!));
  const total = left.reduce((sum, index) => sum + law.probabilities[index]!, 0);
  if (!(total > 0)) return null;
  return {
    tokens: left.map((index) => law.tokens[index]!),
    probabilities: left.map((index) => law.probabilities[index]! / total),
  };
}
