/** Toy models and requests for tests of drafters: five one-letter tokens whose laws depend on the two before. */
import { type DraftTree, root } from "../core/draft-tree.js";
import type { Sampling, TreeRow } from "../core/model.js";
import { greedy } from "../core/model.js";
import { keyedUniform } from "../core/random.js";
import { probabilityOf, type SparseLaw } from "../core/sparse-law.js";
import type { DraftRequest, Verified } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { ScriptedModel, type ScriptedModelOptions } from "../models/scripted.js";

export const letters = ["a", "b", "c", "d", "e"];

/** A model whose law after each pair of letters is drawn once from `seed`; `sharpness` 0 makes all letters alike. */
export function letterModel(seed: number, sharpness = 2, options: Partial<ScriptedModelOptions> = {}) {
  return new ScriptedModel({
    name: `letters-${seed}`,
    pieces: letters,
    law: {
      tokens: ({ prompt, text }) => {
        const masses = letters.map((letter) =>
          Math.exp(sharpness * keyedUniform(seed, (prompt + text).slice(-2), 0, letter)),
        );
        const total = masses.reduce((sum, mass) => sum + mass, 0);
        return letters.map((text, index) => ({ text, probability: masses[index]! / total }));
      },
    },
    ...options,
  });
}

/** A model that is sure of the letter after each one: round and round the alphabet. */
export function alphabetModel(options: Partial<ScriptedModelOptions> = {}) {
  return new ScriptedModel({
    name: "alphabet",
    pieces: letters,
    law: {
      tokens: ({ prompt, text }) => [
        {
          text: letters[(letters.indexOf((prompt + text).at(-1) ?? "e") + 1) % letters.length]!,
          probability: 1,
        },
      ],
    },
    ...options,
  });
}

const first = letterModel(0).tokenizer.encode("a")[0]!;

/** The ids of letters, which are the same in all these models. */
export function ids(text: string): Token[] {
  return [...text].map((letter) => first + letters.indexOf(letter));
}

export function spell(tokens: readonly Token[]): string {
  return tokens.map((token) => letters[token - first]).join("");
}

export const sampled: Sampling = { ...greedy, temperature: 1 };

export function draftRequest(
  text: string | readonly Token[],
  options: Partial<DraftRequest> = {},
): DraftRequest {
  const tokens = typeof text === "string" ? ids(text) : text;
  return {
    tokens,
    nodes: 8,
    depth: 4,
    sampling: sampled,
    key: "k",
    start: tokens.length,
    hints: [],
    ...options,
  };
}

/** Every path from the root, spelled, in the order of the nodes. */
export function paths(tree: DraftTree): string[] {
  return tree.nodes.map((_, node) => spell(tree.path(node).map((at) => tree.nodes[at]!.token)));
}

export function childrenOf(tree: DraftTree, parent = root): string {
  return spell(tree.children(parent).map((node) => tree.nodes[node]!.token));
}

/** Pearson's statistic of counts against a law, over its degrees of freedom: near 1 where the law is true. */
export function chiSquare(counts: ReadonlyMap<Token, number>, law: SparseLaw): number {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  for (const token of counts.keys()) if (probabilityOf(token, law) === 0) return Number.POSITIVE_INFINITY;
  const terms = law.tokens.map((token, index) => {
    const expected = total * law.probabilities[index]!;
    return ((counts.get(token) ?? 0) - expected) ** 2 / expected;
  });
  return terms.reduce((sum, term) => sum + term, 0) / Math.max(1, law.tokens.length - 1);
}

/** What a loop tells of a block of which this much was written, with these most probable tokens after each place. */
export function verified(
  tree: DraftTree,
  tokens: readonly Token[],
  path: readonly number[],
  own: Token,
  topK: (node: number) => TreeRow["topK"] = () => undefined,
): Verified {
  const rows = [root, ...tree.nodes.keys()].map((node) => {
    const most = topK(node);
    return {
      draw: { token: own, logprob: 0 },
      probabilities: [],
      logprobs: [],
      outside: null,
      entropy: 0,
      ...(most && { topK: most }),
    };
  });
  return { tree, rows, path, tokens, written: [...path.map((node) => tree.nodes[node]!.token), own] };
}
