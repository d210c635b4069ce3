import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { aggregations } from "../core/reward.js";
import type { Node, NodeRequest, Search } from "../core/search.js";
import { keepOnly, offerBest } from "../core/survivors.js";
import { scoreAnswers, writeOn } from "../core/whole-answers.js";

const schema = z.object({
  gamma: z
    .number()
    .min(0)
    .max(2)
    .default(0.9)
    .describe(
      "stop at an answer of this score; above 1 all samples are written. The paper's is not known to us",
    ),
  samples: z.int().min(1).max(256).default(16).describe("most answers in all").meta({ width: true }),
  width: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe("answers begun together; with more than one, weak ones are given up at the checkpoints"),
  checkpoints: z
    .string()
    .regex(/^\d+(-\d+)*$/)
    .default("64-128")
    .describe("tokens after which unfinished answers are scored; the step in progress is finished first"),
  keep: z.number().gt(0).max(1).default(0.5).describe("share of the answers kept at a checkpoint"),
  aggregation: z
    .enum(aggregations)
    .default("last")
    .describe("how the rewards of an answer's steps become its score"),
  anneal: z
    .boolean()
    .default(true)
    .describe("temperature 1 - 2^(1-k) for answer k: greedy first, then hotter; else the run's"),
});

type Options = z.output<typeof schema>;

export default defineMethod({
  name: "adaptive",
  essence: "answers are written until one scores well enough, weak ones are given up half-way",
  kind: "step",
  source: "Manvi et al., Adaptive Inference-Time Compute, arXiv 2410.02725; the score is the run's reward",
  needs: { draft: ["text"], reward: true },
  cost: "from one answer to all samples; a reward pass per answer and checkpoint",
  use: "a score that knows when the first answer is good enough",
  schema,
  async run(search, options) {
    let best: Scored | undefined;
    for (let begun = 0; begun < options.samples; begun += options.width) {
      const width = Math.min(options.width, options.samples - begun);
      const answers = await writeRound(search, begun, width, options);
      const values = await scoreAnswers(search, answers, options.aggregation);
      const before = best;
      for (const [index, node] of answers.entries()) {
        if (!best || values[index]! > best.merit) best = { node, merit: values[index]! };
      }
      offerBest(search, [best!]);
      keepOnly(search, before ? [before.node, ...answers] : answers, [best!.node]);
      if (best!.merit >= options.gamma) break;
    }
    return search.finish(best!.node);
  },
});

interface Scored {
  readonly node: Node;
  readonly merit: number;
}

/** Writes answers side by side, gives up the weaker ones at each checkpoint; those that came through to the end. */
async function writeRound(search: Search, begun: number, width: number, options: Options): Promise<Node[]> {
  let alive = Array.from(
    { length: width },
    (_, index): NodeRequest => ({
      node: search.root,
      role: "draft",
      ...(options.anneal && { sampling: { temperature: 1 - 2 ** -(begun + index) } }),
    }),
  );
  for (const limit of options.checkpoints.split("-").map(Number)) {
    const nodes = await writeOn(search, alive, limit);
    alive = alive.map((request, index) => ({ ...request, node: nodes[index]! }));
    const count = Math.ceil(options.keep * alive.length);
    if (count === alive.length || nodes.every((node) => node.finish)) continue;
    const values = await scoreAnswers(search, nodes, options.aggregation);
    const ranked = [...nodes.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
    const kept = new Set(ranked.slice(0, count));
    alive = alive.filter((_, index) => kept.has(index));
    keepOnly(
      search,
      nodes,
      alive.map(({ node }) => node),
    );
  }
  return writeOn(search, alive);
}
