import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { samplingOf, samplingOptions } from "../core/sampling-options.js";
import type { Node, Search } from "../core/search.js";
import { type AnswerGroup, groupByAnswer } from "../core/vote.js";
import { writeOn } from "../core/whole-answers.js";

export default defineMethod({
  name: "self-consistency",
  essence: "several answers are sampled, the one that most of them give is taken",
  kind: "step",
  source:
    "Wang et al., arXiv 2203.11171; stopping: Aggarwal et al., Let's Sample Step by Step, arXiv 2305.11860, section 2",
  needs: { draft: ["text"] },
  cost: "up to n times an answer's tokens written; no reward",
  use: "answers that can be compared and no reward at hand; adaptive where many questions are easy",
  schema: z.object({
    samples: z.int().min(1).max(256).default(8).describe("answers written at most").meta({ width: true }),
    batch: z
      .int()
      .min(1)
      .max(256)
      .default(8)
      .describe("answers written side by side; below samples it may stop early"),
    confidence: z
      .number()
      .min(0.5)
      .max(1)
      .default(1)
      .describe(
        "stops once the leading answer is the more frequent of the first two with this probability; 1 is off",
      ),
    retries: z.int().min(0).max(100).default(5).describe("further answers while none could be read"),
    ...samplingOptions,
  }),
  async run(search, { samples, batch, confidence, retries, ...sampling }) {
    const nodes: Node[] = [];
    let groups: AnswerGroup[] = [];
    const write = async (size: number) => {
      const first = nodes.length;
      const requests = Array.from({ length: size }, (_, number) => ({
        node: search.root,
        role: "draft" as const,
        sampling: samplingOf(sampling, { index: (first + number) % samples, count: samples, depth: 0 }),
      }));
      nodes.push(...(await writeOn(search, requests)));
      groups = await groupByAnswer(search, nodes.filter(isWhole));
      offerLeader(search, groups);
    };
    while (nodes.length < samples && !isSettled(groups, confidence)) {
      await write(Math.min(batch, samples - nodes.length));
    }
    for (let retry = 0; retry < retries && groups.length === 0; retry++) await write(1);
    return search.finish(groups[0]?.nodes[0] ?? nodes[0]!);
  },
});

/** A text that was cut short may name an answer, but not one that was arrived at. */
function isWhole({ finish }: Node): boolean {
  return finish === "stop";
}

function offerLeader(search: Search, [leader]: readonly AnswerGroup[]): void {
  // Of equal values the first offer stands: later votes count more.
  if (leader) search.offer(leader.nodes[0]!, leader.weight);
}

/**
 * Whether the leading answer stays ahead: the probability, under a uniform prior, that it is the more likely of the
 * first two, P(p > 1/2) for p ~ Beta(first + 1, second + 1).
 */
export function isSettled(groups: readonly AnswerGroup[], confidence: number): boolean {
  const [first, second] = groups;
  if (!first || confidence >= 1) return false;
  return leadProbability(first.weight, second?.weight ?? 0) >= confidence;
}

/** Exact for whole numbers: P(p > 1/2) is the chance of at most `first` heads in first + second + 1 fair tosses. */
export function leadProbability(first: number, second: number): number {
  const tosses = first + second + 1;
  let ways = 1;
  let sum = 0;
  for (let heads = 0; heads <= first; heads++) {
    sum += ways;
    ways = (ways * (tosses - heads)) / (heads + 1);
  }
  return sum / 2 ** tosses;
}
