/** Answers written side by side, a step of each at a time. */
import { type Aggregation, aggregate } from "./reward.js";
import type { Node, NodeRequest, Search } from "./search.js";

/**
 * Writes every answer on until it is over or holds at least `tokens` tokens; results in the order of the requests.
 * Those that end early leave the batch, the others go on.
 */
export async function writeOn(
  search: Search,
  requests: readonly NodeRequest[],
  tokens = Number.POSITIVE_INFINITY,
): Promise<Node[]> {
  const nodes = requests.map(({ node }) => node);
  for (;;) {
    const open = [...nodes.keys()].filter((index) => !nodes[index]!.finish && nodes[index]!.tokens < tokens);
    if (open.length === 0) return nodes;
    const written = await search.extendAll(
      open.map((index) => ({ ...requests[index]!, node: nodes[index]! })),
    );
    for (const [at, index] of open.entries()) nodes[index] = written[at]!;
  }
}

/** One number in [0, 1] for each answer, from the rewards of its steps; only those that count are asked for. */
export async function scoreAnswers(
  search: Search,
  nodes: readonly Node[],
  aggregation: Aggregation,
): Promise<number[]> {
  return Promise.all(
    nodes.map(async (node) => {
      const path: Node[] = [];
      for (let at: Node | null = node; at?.step; at = at.parent) path.unshift(at);
      const counted = aggregation === "last" ? path.slice(-1) : path;
      return aggregate(aggregation, await search.scoreAll(counted));
    }),
  );
}
