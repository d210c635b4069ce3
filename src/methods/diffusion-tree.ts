import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { aggregate, aggregations } from "../core/reward.js";
import type { Node, Search } from "../core/search.js";
import { softValue } from "../core/soft-value.js";
import { offerBest } from "../core/survivors.js";
import { drawIndex, softmax } from "../core/weights.js";

const schema = z.object({
  rollouts: z
    .int()
    .min(1)
    .max(100_000)
    .default(16)
    .describe("answers written to their end, prefixes shared")
    .meta({ width: true }),
  mode: z
    .enum(["search", "sample"])
    .default("search")
    .describe(
      "find the answer of the best reward, or draw one from the model's law times exp(lambda reward)",
    ),
  lambda: z.number().min(0.001).max(1000).default(10).describe("how much a reward counts against the model"),
  explore: z.number().min(0).max(100).default(0.5).describe("bonus of search for rarely visited prefixes"),
  width: z.number().gt(0).max(100_000).default(1).describe("children of a prefix visited once"),
  growth: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe("children grow as visits to this power; at 0 their number is fixed, and sample stays biased"),
  parallel: z.int().min(1).max(64).default(4).describe("rollouts side by side; 1 is the published order"),
  sampleTemperature: z.number().min(0.01).max(10).default(0.8).describe("temperature of every step"),
  aggregation: z
    .enum(aggregations)
    .default("min")
    .describe("an answer's reward from its steps'; last scores its end alone, which costs one pass"),
});

type Options = z.output<typeof schema>;

/** A prefix in the tree. */
interface Place {
  readonly node: Node;
  readonly parent: Place | null;
  readonly children: Place[];
  /** Rollouts through here, those under way included. */
  visits: number;
  /** Soft value of what is below; undefined until a rollout has come back. */
  value: number | undefined;
}

export default defineMethod({
  name: "diffusion-tree",
  essence: "one tree of answers, grown by rollouts whose rewards are backed up as soft values",
  kind: "search",
  source:
    "Jain et al., Diffusion Tree Sampling, NeurIPS 2025, arXiv 2506.20701, sections 3 and 4 (DTS, DTS*)",
  needs: { draft: ["text"], reward: true },
  cost: "rollouts times what is left of an answer below the prefix each starts from; rewards of whole answers",
  use: "a reward that judges finished answers; sample, to draw from the model reweighed by it instead of its best",
  schema,
  async run(search, options) {
    const root = await growTree(search, options);
    if (options.mode === "sample") return search.finish(descend(search, root, options, "answer").node);
    return search.finish(leaves(root).reduce((best, leaf) => (leaf.value! > best.value! ? leaf : best)).node);
  },
});

/** The tree after all rollouts. */
export async function growTree(search: Search, options: Options): Promise<Place> {
  const root = plant(search.root, null);
  const { rollouts, parallel } = options;
  for (let done = 0; done < rollouts; done += parallel) {
    // All are sent off before one has come back: visits under way keep them apart.
    const starts = Array.from({ length: Math.min(parallel, rollouts - done) }, (_, index) => {
      const start = select(search, root, options, `rollout:${done + index}`);
      for (let at: Place | null = start; at; at = at.parent) at.visits++;
      return start;
    });
    const ends = await Promise.all(starts.map((start) => rollOut(search, start, options)));
    for (const end of ends) backUp(end, options.lambda);
    offerBest(
      search,
      leaves(root).map(({ node, value }) => ({ node, merit: value! })),
    );
  }
  return root;
}

/** Draws one leaf: at each prefix a child in proportion to exp(lambda x value). */
export function descend(search: Search, root: Place, options: Options, purpose: string): Place {
  let place = root;
  while (!place.node.finish) place = choose(search, place, options, purpose);
  return place;
}

/** Down the tree to a prefix that is over, or that may have one more child. */
function select(search: Search, root: Place, options: Options, purpose: string): Place {
  let place = root;
  while (!place.node.finish) {
    const room = Math.ceil(options.width * (place.visits + 1) ** options.growth);
    const full = place.children.length >= room && place.children.some(({ value }) => value !== undefined);
    if (!full) return place;
    place = choose(search, place, options, purpose);
  }
  return place;
}

function choose(search: Search, place: Place, options: Options, purpose: string): Place {
  const known = place.children.filter(({ value }) => value !== undefined);
  if (options.mode === "search") {
    const worth = known.map(
      ({ value, visits }) => value! + options.explore * Math.sqrt(Math.log(place.visits) / visits),
    );
    return known[worth.indexOf(Math.max(...worth))]!;
  }
  const law = softmax(known.map(({ value }) => options.lambda * value!));
  return known[drawIndex(law, search.uniform(place.node, purpose))]!;
}

/** Writes on to the end of an answer; every prefix on the way joins the tree. Returns the end. */
async function rollOut(search: Search, start: Place, options: Options): Promise<Place> {
  const sampling = { temperature: options.sampleTemperature };
  let place = start;
  while (!place.node.finish) {
    const node = await search.extend(place.node, { role: "draft", sampling });
    const child = plant(node, place);
    child.visits = 1;
    place.children.push(child);
    place = child;
  }
  place.value ??= await worthOf(search, place.node, options);
  return place;
}

/** An answer that was cut short is worth nothing, whatever its last step is worth. */
async function worthOf(search: Search, node: Node, { aggregation }: Options): Promise<number> {
  if (node.finish !== "stop") return 0;
  if (aggregation === "last") return search.score(node);
  const path: Node[] = [];
  for (let at = node; at.parent; at = at.parent) path.unshift(at);
  return aggregate(aggregation, await search.scoreAll(path));
}

function backUp(end: Place, lambda: number): void {
  for (let at = end.parent; at; at = at.parent) {
    const known = at.children.flatMap(({ value }) => (value === undefined ? [] : [value]));
    at.value = softValue(known, lambda);
  }
}

function leaves(place: Place): Place[] {
  if (place.node.finish) return [place];
  return place.children.flatMap(leaves);
}

function plant(node: Node, parent: Place | null): Place {
  return { node, parent, children: [], visits: 0, value: undefined };
}
