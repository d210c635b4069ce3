import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { aggregate, aggregations } from "../core/reward.js";
import { samplingOf, samplingOptions } from "../core/sampling-options.js";
import type { Node } from "../core/search.js";
import { offerBest } from "../core/survivors.js";
import { groupByAnswer } from "../core/vote.js";

export default defineMethod({
  name: "best-of-n",
  essence: "several whole answers are sampled, the one of greatest reward is taken",
  kind: "step",
  source: "Liu et al., Bag of Tricks, arXiv 2502.07191, best-of-N and weighted self-consistency",
  needs: { draft: ["text"], reward: true },
  cost: "n times an answer's tokens written; a reward pass per answer, or per step unless only the last counts",
  use: "the baseline of all search: parallel, simple, and hard to beat while the reward is sound",
  schema: z.object({
    samples: z
      .int()
      .min(1)
      .max(256)
      .default(8)
      .describe("answers written side by side")
      .meta({ width: true }),
    aggregation: z
      .enum(aggregations)
      .default("last")
      .describe("one number for an answer from the rewards of its steps"),
    choose: z
      .enum(["best", "weighted"])
      .default("best")
      .describe("the best answer, or the best member of the group of equal answers with the greatest sum"),
    ...samplingOptions,
  }),
  async run(search, { samples: count, aggregation, choose, ...sampling }) {
    const whole: Scored[] = [];
    const write = async (index: number): Promise<Scored> => {
      let node = search.root;
      const rewards: number[] = [];
      while (!node.finish) {
        const request = {
          role: "draft",
          sampling: samplingOf(sampling, { index, count, depth: node.depth }),
        } as const;
        node = await search.extend(node, request);
        // Where only the last step's reward counts, the others need none.
        if (aggregation !== "last" || node.finish) rewards.push(await search.score(node));
      }
      const answer = { node, merit: aggregate(aggregation, rewards) };
      whole.push(answer);
      offerBest(search, whole);
      return answer;
    };
    // None waits for the others' steps, so the batch stays full until the short ones are through.
    const answers = await Promise.all(Array.from({ length: count }, (_, index) => write(index)));
    const nodes = answers.map(({ node }) => node);
    const best = mostMerit(answers);
    if (choose === "best") return search.finish(best.node);
    const [group] = await groupByAnswer(search, nodes, normalised(answers.map(({ merit }) => merit)));
    const members = answers.filter(({ node }) => group?.nodes.includes(node));
    return search.finish((members.length > 0 ? mostMerit(members) : best).node);
  },
});

interface Scored {
  readonly node: Node;
  readonly merit: number;
}

/** Of equals the one that came first. */
function mostMerit(answers: readonly Scored[]): Scored {
  return answers.reduce((best, answer) => (answer.merit > best.merit ? answer : best));
}

/** From 0 for the least to 1 for the greatest; all 1 where all are equal. */
export function normalised(values: readonly number[]): number[] {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (greatest > least ? (value - least) / (greatest - least) : 1));
}
