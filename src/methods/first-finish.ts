import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { Node, NodeRequest, Search } from "../core/search.js";
import { groupByAnswer } from "../core/vote.js";

const schema = z.object({
  samples: z.int().min(1).max(256).default(4).describe("answers written side by side").meta({ width: true }),
  wait: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe("answers to wait for; the majority among them is the answer"),
  mode: z
    .enum(["rounds", "race"])
    .default("rounds")
    .describe(
      "rounds: fewest tokens wins, reproducible; race: first in time wins, the others stop at that token",
    ),
  minTokens: z.int().min(0).max(1_000_000).default(0).describe("shorter answers are refused"),
  sampleTemperature: z.number().min(0).max(10).default(0.6).describe("temperature of the samples"),
});

type Options = z.output<typeof schema>;

export default defineMethod({
  name: "first-finish",
  essence: "answers in parallel; the first that ends by itself is taken, the rest are cancelled",
  kind: "step",
  source: "Agarwal et al., First Finish Search, arXiv 2505.18149; FFS-k@N from arXiv 2512.02008",
  needs: { draft: ["text"] },
  cost: "samples times the shortest answer's tokens, up to a step each; no reward",
  use: "reasoning models whose wrong attempts ramble; where length says nothing it is one sample at many times the cost",
  schema,
  async run(search, options) {
    let lanes: Node[] = Array.from({ length: options.samples }, () => search.root);
    let whole: Node[] = [];
    for (let going = lanes; going.length > 0; ) {
      const limit = whole.length === options.wait ? whole.at(-1)!.tokens : Number.POSITIVE_INFINITY;
      const written = await advance(search, going, limit, options);
      lanes = lanes.map((lane) => (lane.finish ? lane : written.shift()!));
      whole = firstOf(lanes, options);
      if (whole[0]) search.offer(whole[0], 1);
      if (whole.length === options.wait) {
        // Whoever has as many tokens as the last winner and has not ended can no longer be among them.
        const last = options.mode === "race" ? 0 : whole.at(-1)!.tokens;
        const lost = lanes.filter((lane) => !whole.includes(lane) && (lane.finish || lane.tokens >= last));
        for (const lane of lost) search.prune(lane);
        lanes = lanes.filter((lane) => !lost.includes(lane));
      }
      going = lanes.filter((lane) => !lane.finish);
    }
    const [elected] = await groupByAnswer(search, whole);
    return search.finish(elected?.nodes[0] ?? whole[0] ?? longest(lanes));
  },
});

/** The answers that ended first: fewest tokens, then lowest number. One that was cut by a limit never did. */
function firstOf(lanes: readonly Node[], { wait, minTokens }: Options): Node[] {
  const whole = lanes.filter(({ finish, tokens }) => finish === "stop" && tokens >= minTokens);
  return whole.sort((a, b) => a.tokens - b.tokens).slice(0, wait);
}

/** One step more for each, no further than the limit; in a race all that can be had before the first one ends. */
function advance(search: Search, lanes: readonly Node[], limit: number, options: Options): Promise<Node[]> {
  const sampling = { temperature: options.sampleTemperature };
  const requests = lanes.map((node): NodeRequest => {
    const request = { node, role: "draft", sampling } as const;
    if (options.mode === "race") return { ...request, splitter: { kind: "none" } };
    return limit === Number.POSITIVE_INFINITY ? request : { ...request, maxTokens: limit - node.tokens };
  });
  return options.mode === "race" ? search.extendFirst(requests) : search.extendAll(requests);
}

function longest(lanes: readonly Node[]): Node {
  return lanes.reduce((best, lane) => (lane.tokens > best.tokens ? lane : best));
}
