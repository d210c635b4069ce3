/** Whole answers: written side by side, and judged. */
import { type Aggregation, aggregate } from "./reward.js";
import type { Node, NodeRequest, Search } from "./search.js";

/**
 * Writes every answer on until it is over or holds at least `tokens` tokens; results in the order of the requests. None
 * waits for the others' steps, so the batch stays full until the short ones are through.
 */
export function writeOn(
  search: Search,
  requests: readonly NodeRequest[],
  tokens = Number.POSITIVE_INFINITY,
): Promise<Node[]> {
  return Promise.all(
    requests.map(async ({ node: start, ...request }) => {
      let node = start;
      while (!node.finish && node.tokens < tokens) node = await search.extend(node, request);
      return node;
    }),
  );
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
