import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { samplingOf, samplingOptions } from "../core/sampling-options.js";
import type { Node, Search } from "../core/search.js";
import { offerBest } from "../core/survivors.js";

/** A node of the search tree with what its simulations came to. */
export interface State {
  readonly node: Node;
  /** The reward of the text up to here. */
  readonly value: number;
  /** How often it was passed through: the first time as a leaf, then on the way to a child. */
  visits: number;
  /** Sum of the values backed up. */
  total: number;
  children: readonly State[];
}

const schema = z.object({
  simulations: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe("simulations before each move")
    .meta({ width: true }),
  expand: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("next steps written when a leaf is expanded")
    .meta({ width: true }),
  exploration: z
    .number()
    .min(0)
    .max(100)
    .default(1.25)
    .describe("c_puct; 0 with base 0 is greedy in the mean value"),
  base: z
    .number()
    .min(0)
    .max(1e9)
    .default(19652)
    .describe("c_base: exploration grows with log((visits + c_base + 1) / c_base); 0 is off"),
  ...samplingOptions,
});

type Options = z.output<typeof schema>;

export default defineMethod({
  name: "mcts",
  essence: "a tree grown where value and curiosity point, moved down by visits; the reward values its leaves",
  kind: "search",
  source:
    "Liu et al., Bag of Tricks, arXiv 2502.07191, MCTS (value-guided: leaves are scored, not rolled out)",
  needs: { draft: ["text"], reward: true },
  cost: "simulations x expand steps written and scored per move",
  use: "rewards that are noisy on single steps: means over subtrees smooth them; slower than a beam of equal cost",
  schema,
  async run(search, options) {
    let root = newState(search.root, 0);
    let known: State[] = [];
    while (!root.node.finish) {
      for (let simulation = 0; simulation < options.simulations; simulation++) {
        known.push(...(await simulate(search, root, options)));
        offerBest(
          search,
          known.map(({ node, value }) => ({ node, merit: value })),
        );
      }
      root = mostVisited(root.children);
      search.commit(root.node);
      known = below(root);
    }
    return search.finish(root.node);
  },
});

function newState(node: Node, value: number): State {
  return { node, value, visits: 0, total: 0, children: [] };
}

/** Goes down to a leaf, grows its children, and backs its value up. Returns the new states. */
async function simulate(search: Search, root: State, options: Options): Promise<readonly State[]> {
  const path = [root];
  let leaf = root;
  while (leaf.children.length > 0) {
    leaf = select(leaf, options);
    path.push(leaf);
  }
  if (!leaf.node.finish) leaf.children = await expand(search, leaf.node, options);
  for (const state of path) {
    state.visits++;
    state.total += leaf.value;
  }
  return leaf.children;
}

async function expand(search: Search, node: Node, options: Options): Promise<State[]> {
  const count = options.expand;
  const requests = Array.from({ length: count }, (_, index) => ({
    node,
    role: "draft" as const,
    sampling: samplingOf(options, { index, count, depth: node.depth }),
  }));
  const written = await search.extendAll(requests);
  const texts = written.map(({ step }) => step!.text);
  const distinct = written.filter((_, index) => texts.indexOf(texts[index]!) === index);
  for (const copy of written) if (!distinct.includes(copy)) search.prune(copy);
  const values = await search.scoreAll(distinct);
  return distinct.map((child, index) => newState(child, values[index]!));
}

/** The child of the greatest score; of equals the first. */
export function select(parent: State, options: Pick<Options, "exploration" | "base">): State {
  const scores = parent.children.map((child) => scoreOf(child, parent.visits, options));
  return parent.children[scores.indexOf(Math.max(...scores))]!;
}

/** Q + (c_puct + log((N + c_base + 1) / c_base)) sqrt(N) / (1 + n); the Q of a child that was never visited is its own value. */
function scoreOf(
  child: State,
  parentVisits: number,
  { exploration, base }: Pick<Options, "exploration" | "base">,
) {
  const growth = base > 0 ? Math.log((parentVisits + base + 1) / base) : 0;
  return meanValue(child) + ((exploration + growth) * Math.sqrt(parentVisits)) / (1 + child.visits);
}

function meanValue({ visits, total, value }: State): number {
  return visits === 0 ? value : total / visits;
}

/** Of equally visited ones that of the greatest mean value. */
function mostVisited(states: readonly State[]): State {
  return states.reduce((best, state) => {
    const gain = state.visits - best.visits || meanValue(state) - meanValue(best);
    return gain > 0 ? state : best;
  });
}

/** A state and everything under it. */
function below(state: State): State[] {
  return [state, ...state.children.flatMap(below)];
}
