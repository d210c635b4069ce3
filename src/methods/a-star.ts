import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { Node, Search } from "../core/search.js";
import { keepOnly, offerBest } from "../core/survivors.js";

const schema = z.object({
  children: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("steps sampled where a state is expanded")
    .meta({ width: true }),
  sampleTemperature: z.number().min(0).max(10).default(0.8).describe("temperature of every step"),
  cost: z
    .enum(["drop", "uniform", "consistent"])
    .default("drop")
    .describe(
      "of a step: the fall of the reward, the same for each, or its rise (keeps the popped f in order)",
    ),
  stepCost: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe("what uniform charges a step; 0 goes by reward alone"),
  expandAtOnce: z.int().min(1).max(64).default(1).describe("states expanded side by side; 1 is plain A*"),
  expansions: z
    .int()
    .min(1)
    .max(10_000)
    .default(64)
    .describe("states expanded before the best one is finished"),
  maxFrontier: z
    .int()
    .min(1)
    .max(10_000)
    .default(512)
    .describe("open states kept; those of worst f are given up"),
  stop: z
    .enum(["first-goal", "budget"])
    .default("first-goal")
    .describe("take the first whole answer that comes up, or the best one when the expansions are spent"),
});

type Options = z.output<typeof schema>;

/** A prefix of an answer: g is what its path has cost, h how far its last step is from a full reward. */
interface State {
  readonly node: Node;
  readonly g: number;
  readonly h: number;
  /** Order of arrival, the last tie-break. */
  readonly number: number;
}

export default defineMethod({
  name: "a-star",
  essence: "the most promising prefix is extended next, by what it lost so far and what its last step lacks",
  kind: "search",
  source: "Chatziveroglou, A*-Decoding, arXiv 2505.13672; edge cost and tie-break as in card a-star-decoding",
  needs: { draft: ["text"], reward: true },
  cost: "children steps written and scored per expansion, at most expansions of them; memory grows with the frontier",
  use: "few tokens and a reward that is right about single steps; one expansion is a narrow batch, so time gains less",
  schema,
  async run(search, options) {
    let frontier: State[] = [{ node: search.root, g: 0, h: 0, number: 0 }];
    let count = 1;
    let ended: State[] = [];
    for (let spent = 0; spent < options.expansions && frontier.length > 0; ) {
      const popped = frontier.splice(0, Math.min(options.expandAtOnce, options.expansions - spent));
      ended = [...ended, ...popped.filter(({ node }) => node.finish)].sort(byWorth).slice(0, 1);
      if (ended.some(isGoal) && options.stop === "first-goal") break;
      const open = popped.filter(({ node }) => !node.finish);
      const children = await expand(search, open, options, count);
      spent += open.length;
      count += children.length;
      const ranked = [...frontier, ...children].sort(byPromise);
      frontier = ranked.slice(0, options.maxFrontier);
      const kept = [...frontier, ...ended];
      keepOnly(search, nodesOf([...popped, ...ranked]), nodesOf(kept));
      offerBest(
        search,
        kept.map(({ node, g, h }) => ({ node, merit: 1 / (1 + g + h) })),
      );
    }
    const [best] = [...ended, ...frontier.filter(({ node }) => node.finish)].sort(byWorth);
    const open = frontier.find(({ node }) => !node.finish);
    if (open && !(best && isGoal(best))) return search.finish(await complete(search, open.node));
    return search.finish(best!.node);
  },
});

/** The children of these states, sampled and scored, without exact duplicates. A step that stalled is not worth a score. */
async function expand(
  search: Search,
  states: readonly State[],
  options: Options,
  count: number,
): Promise<State[]> {
  const sampling = { temperature: options.sampleTemperature };
  const parents = states.flatMap((state) => Array<State>(options.children).fill(state));
  const written = await search.extendAll(parents.map(({ node }) => ({ node, role: "draft", sampling })));
  const seen = new Set<string>();
  const distinct = written.flatMap((node, index) => {
    const name = `${node.parent!.id} ${node.step!.text}`;
    if (!seen.has(name)) {
      seen.add(name);
      return [{ node, parent: parents[index]! }];
    }
    search.prune(node);
    return [];
  });
  const lacks = async (node: Node) => (node.finish === "stalled" ? 1 : 1 - (await search.score(node)));
  const lacking = await Promise.all(distinct.map(({ node }) => lacks(node)));
  return distinct.map(({ parent, node }, index) => {
    const h = lacking[index]!;
    return { node, g: parent.g + edgeCost(parent.h, h, options), h, number: count + index };
  });
}

function edgeCost(before: number, after: number, { cost, stepCost }: Options): number {
  if (cost === "uniform") return stepCost;
  return Math.max(0, cost === "drop" ? after - before : before - after);
}

/** Lowest f first; then the deeper state, then the earlier one. */
function byPromise(a: State, b: State): number {
  return a.g + a.h - (b.g + b.h) || b.node.depth - a.node.depth || a.number - b.number;
}

/** Of answers that are over: whole ones first. */
function byWorth(a: State, b: State): number {
  return Number(isGoal(b)) - Number(isGoal(a)) || byPromise(a, b);
}

function isGoal({ node }: State): boolean {
  return node.finish === "stop";
}

function nodesOf(states: readonly State[]): Node[] {
  return states.map(({ node }) => node);
}

/** Nothing whole was found: the best prefix is written to its end, marked as the fallback that it is. */
async function complete(search: Search, from: Node): Promise<Node> {
  let node = search.commit(from);
  while (!node.finish) {
    const sampling = { temperature: 0 };
    node = search.commit(await search.extend(node, { role: "draft", origin: "fallback", sampling }));
  }
  return node;
}
