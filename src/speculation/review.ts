/**
 * A draft shown to the target a second time, in the same pass: behind the chain come a prompt, the last tokens of the
 * text so far, and the chain again. Card reflective-verification.
 */
import type { DraftTree } from "../core/draft-tree.js";
import type { ReadTreeOptions, TreeRow, TreeToken } from "../core/model.js";
import type { Review } from "../core/speculation.js";
import type { Token } from "../core/step.js";

type Asked = ReadTreeOptions["ask"];

export interface Reviewed {
  readonly nodes: readonly TreeToken[];
  readonly ask: Asked;
  /** The row of a place's second copy, out of all rows of the pass; none after the draft's last token. */
  rowOf(place: number, rows: readonly TreeRow[]): TreeRow | undefined;
}

/** Null where the draft is no chain, or the second copy would not fit into `room` nodes. */
export function withReview(
  tree: DraftTree,
  asked: Asked,
  {
    suffix,
    prompt,
    tokens,
    room,
  }: Pick<Review, "suffix"> & {
    readonly prompt: readonly Token[];
    readonly tokens: readonly Token[];
    readonly room: number;
  },
): Reviewed | null {
  const { size } = tree;
  const isChain = tree.nodes.every(({ parent }, index) => parent === index - 1);
  const lead = [...prompt, ...(suffix > 0 ? tokens.slice(-suffix) : [])];
  if (size === 0 || !isChain || lead.length === 0 || 2 * size + lead.length > room) return null;
  const draft = tree.nodes.map(({ token }) => token);
  // The last token of the second copy would only give the law after the draft, which nothing tests.
  const nodes = [...draft, ...lead, ...draft.slice(0, -1)].map((token, index) => ({
    token,
    parent: index - 1,
  }));
  const first = size + lead.length;
  const ask = [...asked, ...lead.slice(0, -1).map(() => []), ...draft.map((_, place) => asked[place]!)];
  return { nodes, ask, rowOf: (place, rows) => (place < size - 1 ? rows[first + place + 1] : undefined) };
}
