/**
 * A long prompt cut down to what its end asks about. Retrieval is ours: bags of tokens, weighted by how few parts of the
 * prompt hold them (tf-idf, cosine), where the paper uses a text embedding model. Card rapid.
 */
import type { Model } from "../../core/model.js";
import type { Token } from "../../core/step.js";

export interface ShortContextOptions {
  /** Tokens of one part. */
  readonly chunk: number;
  /** Tokens of all parts together, at most. */
  readonly context: number;
  /** Tokens at the prompt's beginning that stay in any case. */
  readonly lead: number;
  /** Tokens at the prompt's end that stay in any case, and are what is looked for. */
  readonly query: number;
  /** Least similarity of a part. */
  readonly similarity: number;
}

/** The prompt's ids that are kept, in their order; all of them where they are few. */
export async function shortContext(
  model: Pick<Model, "tokenBytes">,
  prompt: readonly Token[],
  options: ShortContextOptions,
): Promise<readonly Token[]> {
  const { chunk, context, lead, query } = options;
  if (prompt.length <= lead + context + query) return prompt;
  const head = prompt.slice(0, lead);
  const tail = prompt.slice(prompt.length - query);
  const middle = prompt.slice(lead, prompt.length - query);
  const parts = await chunksOf(model, middle, chunk);
  const kept = mostSimilar(parts, tail, options);
  return [...head, ...kept.flat(), ...tail];
}

const lineBreak = 10;

/** Parts of at most so many tokens that end at a line's end where there is one in their second half. */
async function chunksOf(
  model: Pick<Model, "tokenBytes">,
  tokens: readonly Token[],
  size: number,
): Promise<Token[][]> {
  const bytes = (await model.tokenBytes?.(tokens)) ?? [];
  const endsLine = (at: number) => bytes[at]?.at(-1) === lineBreak;
  const chunks: Token[][] = [];
  for (let from = 0; from < tokens.length; ) {
    let to = Math.min(tokens.length, from + size);
    for (let at = to; to < tokens.length && at > from + size / 2; at--) {
      if (!endsLine(at - 1)) continue;
      to = at;
      break;
    }
    chunks.push(tokens.slice(from, to));
    from = to;
  }
  return chunks;
}

/** As many of the most similar parts as fit, in their order; the first and the last where none is similar. */
function mostSimilar(
  parts: readonly Token[][],
  query: readonly Token[],
  { context, similarity }: ShortContextOptions,
): Token[][] {
  const bags = parts.map(bagOf);
  const weight = (token: Token) => Math.log(1 + parts.length / bags.filter((bag) => bag.has(token)).length);
  const scores = cosines(bags, bagOf(query), weight);
  const order = [...parts.keys()]
    .filter((index) => scores[index]! > 0 && scores[index]! >= similarity)
    .sort((a, b) => scores[b]! - scores[a]! || a - b);
  const wanted = order.length > 0 ? order : [0, parts.length - 1];
  const kept = new Set<number>();
  let room = context;
  for (const index of wanted) {
    if (parts[index]!.length > room) continue;
    room -= parts[index]!.length;
    kept.add(index);
  }
  return parts.filter((_, index) => kept.has(index));
}

function bagOf(tokens: readonly Token[]): Map<Token, number> {
  const bag = new Map<Token, number>();
  for (const token of tokens) bag.set(token, (bag.get(token) ?? 0) + 1);
  return bag;
}

/** Of each bag with the query, tokens weighted; tokens that stand in no bag count for nothing. */
function cosines(
  bags: readonly ReadonlyMap<Token, number>[],
  query: ReadonlyMap<Token, number>,
  weight: (token: Token) => number,
): number[] {
  const weights = new Map<Token, number>();
  for (const bag of bags) {
    for (const token of bag.keys()) if (!weights.has(token)) weights.set(token, weight(token));
  }
  const length = (bag: ReadonlyMap<Token, number>) =>
    Math.sqrt([...bag].reduce((sum, [token, count]) => sum + (count * (weights.get(token) ?? 0)) ** 2, 0));
  const ofQuery = length(query);
  return bags.map((bag) => {
    const product = [...query].reduce(
      (sum, [token, count]) => sum + count * (bag.get(token) ?? 0) * (weights.get(token) ?? 0) ** 2,
      0,
    );
    return product === 0 ? 0 : product / (ofQuery * length(bag));
  });
}
