/** Answers in progress with the rewards of their steps: what the methods that choose by a reward work on. */
import { type Aggregation, aggregate } from "./reward.js";
import type { Node, NodeRequest, Search } from "./search.js";

export interface Chain {
  readonly node: Node;
  /** Of its steps, in their order. */
  readonly rewards: readonly number[];
}

export interface ChainRequest extends Omit<NodeRequest, "node"> {
  readonly chain: Chain;
}

/** What a step is worth, in [0, 1]: its reward, or what it leads to. */
export type Value = (nodes: readonly Node[]) => Promise<readonly number[]>;

/** One more step for each, written as one batch and valued as one. */
export async function growChains(
  search: Search,
  requests: readonly ChainRequest[],
  value: Value = (nodes) => search.scoreAll(nodes),
): Promise<Chain[]> {
  const nodes = await search.extendAll(
    requests.map(({ chain, ...request }) => ({ ...request, node: chain.node })),
  );
  const values = await value(nodes);
  return nodes.map((node, index) => ({ node, rewards: [...requests[index]!.chain.rewards, values[index]!] }));
}

/** The chains of greatest merit, best first; of equals the one that came first. */
export function bestChains(chains: readonly Chain[], aggregation: Aggregation, count: number): Chain[] {
  const merits = chains.map(({ rewards }) => aggregate(aggregation, rewards));
  const order = [...chains.keys()].sort((a, b) => merits[b]! - merits[a]! || a - b);
  return order.slice(0, count).map((index) => chains[index]!);
}
