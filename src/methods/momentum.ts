import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { NextToken } from "../core/search.js";
import type { Token } from "../core/step.js";

const schema = z.object({
  alpha: z.number().min(0).max(10).default(0.2).describe("how much a repetition costs, in probability"),
  candidates: z.int().min(1).max(256).default(5).describe("most probable tokens that are chosen among"),
  resistance: z
    .string()
    .regex(/^(\d+(\.\d+)?|inf)(-(\d+(\.\d+)?|inf))*$/)
    .default("1-2-3-4-5")
    .describe("cost of a repeated 1-gram, 2-gram, ...; inf forbids; longer repetitions cost as the last"),
  exempt: z
    .enum(["none", "marks"])
    .default("none")
    .describe("marks: blanks, punctuation and digits repeat freely, which is ours, for chat models and code"),
});

export default defineMethod({
  name: "momentum",
  essence: "greedy while tokens are new; going back to a used one costs more the longer the repetition",
  kind: "token",
  source: "Lan et al., Momentum Decoding, arXiv 2212.02175; prompt tokens are not in the graph here",
  needs: { draft: ["candidates"] },
  cost: "one pass per token, as greedy decoding; no reward",
  use: "long texts in which greedy decoding repeats itself; not for code or copied context",
  schema,
  async run(search, { alpha, candidates, resistance, exempt }) {
    const costs = resistance.split("-").map((cost) => (cost === "inf" ? Infinity : Number(cost)));
    const seen = new Repetitions(costs.length);
    let node = search.root;
    while (!node.finish) {
      const { tokens } = await search.candidates(node, "draft", candidates);
      const choice = choose(tokens, (token) => {
        const depth = exempt === "marks" && isMark(token) ? 0 : seen.depth(token.token);
        // Zero times infinity would be no number.
        return depth === 0 || alpha === 0 ? 0 : alpha * costs[depth - 1]!;
      });
      seen.push(choice.token);
      node = search.commit(await search.append(node, { role: "draft", content: [choice], origin: "draft" }));
    }
    return search.finish(node);
  },
});

/** The token of greatest probability less cost, the more probable of equals; the most probable where all are forbidden. */
export function choose(tokens: readonly NextToken[], cost: (token: NextToken) => number): NextToken {
  let [best, greatest] = [tokens[0]!, -Infinity];
  for (const token of tokens) {
    const score = Math.exp(token.logprob) - cost(token);
    if (score > greatest) [best, greatest] = [token, score];
  }
  return best;
}

function isMark({ text, end }: NextToken): boolean {
  return end || !/\p{L}/u.test(text);
}

/** What followed each recent run of tokens: the length of a repetition is looked up, not searched for. */
export class Repetitions {
  /** For each length of context, 0 to longest - 1, the tokens that have followed it. */
  readonly #followers: readonly Map<string, Set<Token>>[];
  readonly #recent: Token[] = [];

  constructor(longest: number) {
    this.#followers = Array.from({ length: longest }, () => new Map());
  }

  /** Length of the longest n-gram ending in `token` that has occurred before; 0 if the token has not. */
  depth(token: Token): number {
    let depth = 0;
    for (const [length, contexts] of this.#followers.entries()) {
      if (length > this.#recent.length || !contexts.get(this.#context(length))?.has(token)) break;
      depth = length + 1;
    }
    return depth;
  }

  push(token: Token): void {
    for (const [length, contexts] of this.#followers.entries()) {
      if (length > this.#recent.length) break;
      const context = this.#context(length);
      const followers = contexts.get(context);
      if (followers) followers.add(token);
      else contexts.set(context, new Set([token]));
    }
    this.#recent.push(token);
    if (this.#recent.length >= this.#followers.length) this.#recent.shift();
  }

  #context(length: number): string {
    return length === 0 ? "" : this.#recent.slice(-length).join();
  }
}
