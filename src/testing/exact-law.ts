/**
 * The law of what speculative decoding writes on toy vocabularies, computed exactly: over every tree that a drafter may
 * draw and every fall of an acceptance rule's coins. A lossless rule's law is the target's to the last digits; a rule
 * that is almost right is caught without any noise. Cards speculative-sampling and recursive-speculative-decoding.
 */
import { type DraftTree, root } from "../core/draft-tree.js";
import type { Sampling } from "../core/model.js";
import { processed, type SparseLaw } from "../core/sparse-law.js";
import type { Child, OpenRule } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { exactRow } from "../models/scripted-tree.js";
import { type Draw, everyCoin, everyDraw } from "./chance.js";

/** The law of the next token after some tokens, at temperature 1. */
export type ContextLaw = (tokens: readonly Token[]) => SparseLaw;

/** Draws a tree of drafts for what may follow the tokens; every draw has a purpose of its own within the tree. */
export type ToyDrafter = (tokens: readonly Token[], draw: Draw, sampling: Sampling) => DraftTree;

export interface SpeculationCase {
  readonly target: ContextLaw;
  readonly drafter: ToyDrafter;
  readonly rule: OpenRule;
  readonly sampling: Sampling;
  /** Tokens of a text; what a block writes behind them is dropped. */
  readonly length: number;
}

/** Probabilities of texts, a text being its tokens joined by spaces. */
export type TextLaw = Map<string, number>;

/** What plain decoding writes. */
export function plainLaw({ target, sampling, length }: Omit<SpeculationCase, "drafter" | "rule">): TextLaw {
  return textLaw(length, (tokens) => {
    const law = processed(target(tokens), sampling);
    return new Map(law.tokens.map((token, index) => [String(token), law.probabilities[index]!]));
  });
}

/** What the drafter and the rule write together. */
export function speculatedLaw({ target, drafter, rule, sampling, length }: SpeculationCase): TextLaw {
  const decisions = new Map<string, TextLaw>();
  return textLaw(length, (tokens) => {
    const blocks: TextLaw = new Map();
    for (const { answer: tree, probability } of everyDraw((draw) => drafter(tokens, draw, sampling))) {
      walk(tree, root, [], probability, blocks, tokens);
    }
    return blocks;
  });

  function walk(
    tree: DraftTree,
    place: number,
    path: readonly Token[],
    weight: number,
    blocks: TextLaw,
    before: readonly Token[],
  ): void {
    const context = [...before, ...path];
    const children = tree.children(place).map((node) => ({ node, ...tree.nodes[node]! }));
    for (const [decision, probability] of decisionsAt(context, tree.asked(place), children)) {
      const [kind, index] = decision.split(" ") as [string, string];
      if (kind === "child") {
        const { node, token } = children[Number(index)]!;
        walk(tree, node, [...path, token], weight * probability, blocks, before);
      } else add(blocks, [...path, index].join(" "), weight * probability);
    }
  }

  /** Places with the same law and the same drafts, wherever in a tree, are decided alike. */
  function decisionsAt(
    context: readonly Token[],
    asked: readonly Token[],
    children: readonly Child[],
  ): TextLaw {
    const key = JSON.stringify([context, children.map(({ token, proposal }) => [token, proposal])]);
    const known = decisions.get(key);
    if (known) return known;
    const law = everyCoin((uniform) => {
      const decision = decide(rule, target(context), asked, children, sampling, uniform);
      if ("write" in decision) return `write ${decision.write.token}`;
      return `child ${children.findIndex(({ node }) => node === decision.child)}`;
    });
    decisions.set(key, law);
    return law;
  }
}

/** One decision of a rule on an exact row, as the loop asks for it: without drafts the target writes its own token. */
function decide(
  rule: OpenRule,
  law: SparseLaw,
  asked: readonly Token[],
  children: readonly Child[],
  sampling: Sampling,
  uniform: (purpose: string) => number,
) {
  const row = exactRow(law, { sampling, asked, topK: rule.topK, uniform });
  if (children.length === 0) return { write: row.draw };
  return rule.decide({ row, asked, children, sampling, uniform });
}

/** The law of texts from the law of the next block after each beginning of one. */
function textLaw(length: number, blocksAfter: (tokens: readonly Token[]) => TextLaw): TextLaw {
  const known = new Map<string, TextLaw>();
  const after = (tokens: readonly Token[]): TextLaw => {
    const key = tokens.join(" ");
    const law = known.get(key) ?? compute(tokens);
    known.set(key, law);
    return law;
  };
  const compute = (tokens: readonly Token[]): TextLaw => {
    if (tokens.length >= length) return new Map([[tokens.slice(0, length).join(" "), 1]]);
    const law: TextLaw = new Map();
    for (const [block, probability] of blocksAfter(tokens)) {
      for (const [text, rest] of after([...tokens, ...block.split(" ").map(Number)]))
        add(law, text, probability * rest);
    }
    return law;
  };
  return after([]);
}

function add(law: TextLaw, text: string, probability: number): void {
  law.set(text, (law.get(text) ?? 0) + probability);
}
