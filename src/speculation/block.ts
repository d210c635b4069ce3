/** One pass of the target over a draft, and the rule's walk over its rows. */
import type { DraftTree } from "../core/draft-tree.js";
import type { ExtendOptions, TreeRow, Usage } from "../core/model.js";
import type { Host } from "./host.js";
import { type Reviewed, withReview } from "./review.js";
import type { Place } from "./step-loop.js";
import { askedTokens, type Stride, walk } from "./walk.js";

export interface ReadBlock {
  /** After the branch's end, then after each node of the tree. */
  readonly rows: readonly TreeRow[];
  readonly strides: readonly Stride[];
  readonly usage: Usage;
}

export async function readBlock(
  host: Host,
  { branch, rule, tokens }: Place,
  tree: DraftTree,
  { sampling, key, signal, states = false }: Pick<ExtendOptions, "sampling" | "key" | "signal" | "states">,
): Promise<ReadBlock> {
  const asked = askedTokens(tree);
  const reviewed = await review(host, { rule, tokens }, tree, asked);
  const { nodes, ask } = reviewed ?? { nodes: tree.nodes, ask: asked };
  const topK = Math.max(host.drafter.topK, rule.topK);
  const reading = await branch.readTree!(
    nodes.map(({ token, parent }) => ({ token, parent })),
    { ...{ sampling, key, ask, signal }, ...(topK > 0 && { topK }), ...(states && { hidden: true }) },
  );
  const rows = reading.rows.slice(0, tree.size + 1);
  const strides = walk(tree, rows, asked, rule, {
    ...{ sampling, key, position: tokens.length },
    reviewOf: reviewed ? (place) => reviewed.rowOf(place, reading.rows) : undefined,
  });
  return { rows, strides, usage: reading.usage };
}

async function review(
  host: Host,
  { rule, tokens }: Pick<Place, "rule" | "tokens">,
  tree: DraftTree,
  asked: readonly (readonly number[])[],
): Promise<Reviewed | null> {
  if (!rule.review) return null;
  const { size, treeLimits } = host.target;
  const room = Math.min(treeLimits?.nodes ?? Number.POSITIVE_INFINITY, size.context - tokens.length - 1);
  const prompt = await host.tokensOf(rule.review.prompt);
  return withReview(tree, asked, { suffix: rule.review.suffix, prompt, tokens, room });
}
