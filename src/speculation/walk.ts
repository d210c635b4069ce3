/**
 * A block on paper: which probabilities a tree is read with, and which tokens the acceptance rule writes from its rows.
 * Card speculative-sampling, D. Nothing here waits for a model.
 */
import { type DraftTree, root } from "../core/draft-tree.js";
import type { GrowingStep, WrittenToken } from "../core/growing-step.js";
import type { Sampling, TreeRow } from "../core/model.js";
import { keyedUniform } from "../core/random.js";
import type { OpenRule } from "../core/speculation.js";
import type { StopReason, Token } from "../core/step.js";

/** A token that the walk wrote; `node` is the draft that it accepts, or -1 for the target's own. */
export interface Stride extends WrittenToken {
  readonly node: number;
  /** The hidden state where its law was read, if the rows have states. */
  readonly state?: Float32Array | undefined;
}

/** For the root and then every node: whose probabilities the rule needs there. */
export function askedTokens(tree: DraftTree): Token[][] {
  return [root, ...tree.nodes.keys()].map((place) => tree.asked(place));
}

export interface WalkOptions {
  readonly sampling: Sampling;
  readonly key: string;
  /** Index of the first token that the block writes. */
  readonly position: number;
  /** The row of a place in the draft's second copy, where the rule wants one. */
  readonly reviewOf?: ((place: number) => TreeRow | undefined) | undefined;
}

/** From the root to the first place where the target writes its own token. */
export function walk(
  tree: DraftTree,
  rows: readonly TreeRow[],
  asked: readonly (readonly Token[])[],
  rule: OpenRule,
  { sampling, key, position, reviewOf }: WalkOptions,
): Stride[] {
  const strides: Stride[] = [];
  for (let place = root; ; ) {
    const row = rows[place + 1]!;
    const children = tree.children(place).map((node) => ({ node, ...tree.nodes[node]! }));
    const at = position + strides.length;
    const tokens = asked[place + 1]!;
    // Without drafts this is plain decoding, to the bit.
    const decision =
      children.length === 0
        ? { write: row.draw }
        : rule.decide({
            row,
            review: reviewOf?.(place),
            asked: tokens,
            children,
            sampling,
            uniform: (purpose) => keyedUniform(sampling.seed, key, at, purpose),
          });
    const { entropy, hidden: state } = row;
    if ("write" in decision) {
      const { token, logprob } = decision.write;
      strides.push({ token, logprob, entropy, node: root, state });
      return strides;
    }
    place = decision.child;
    const { token } = tree.nodes[place]!;
    strides.push({ token, logprob: row.logprobs[tokens.indexOf(token)]!, entropy, node: place, state });
  }
}

/** Adds the strides to the step until it ends; how many it took, and why it ended, if it did. */
export function takeStrides(
  strides: readonly Stride[],
  pieces: readonly Uint8Array[],
  step: GrowingStep,
  isEnd: (token: Token) => boolean,
): { readonly taken: number; readonly stop: StopReason | null } {
  for (const [index, stride] of strides.entries()) {
    if (step.pausesAt(stride.entropy)) return { taken: index, stop: "delimiter" };
    const stop = step.add(stride, pieces[index]!, isEnd(stride.token));
    if (stop) return { taken: index + 1, stop };
  }
  return { taken: strides.length, stop: null };
}
