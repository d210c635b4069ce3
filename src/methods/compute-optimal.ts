import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { defineMethod, type Method } from "../core/method.js";
import { typedOptions } from "../core/option-text.js";
import { aggregations } from "../core/reward.js";
import { parseOptions } from "../core/run-request.js";
import type { Node, Search } from "../core/search.js";
import { keepOnly, offerBest } from "../core/survivors.js";
import { groupByAnswer } from "../core/vote.js";
import { scoreAnswers, writeOn } from "../core/whole-answers.js";
import { parsePolicy, type Strategy, strategyFor } from "./compute-optimal/policy.js";
import { methods } from "./index.js";

const needs = { draft: ["text"], reward: true } as const;

const schema = z.object({
  probes: z
    .int()
    .min(1)
    .max(256)
    .default(8)
    .describe("answers from which a question's difficulty is estimated")
    .meta({ width: true }),
  estimate: z
    .enum(["reward", "agreement", "check"])
    .default("reward")
    .describe(
      "of success: mean final reward of the probes, share of the commonest answer, or the task's checker",
    ),
  aggregation: z
    .enum(aggregations)
    .default("last")
    .describe("how the rewards of a probe's steps become its score"),
  sampleTemperature: z
    .number()
    .min(0)
    .max(10)
    .default(0.8)
    .describe("of the probes; the chosen method has its own"),
  policy: z
    .string()
    .min(1)
    .max(4000)
    .default("probes>=0.8 / best-of-n>=0.4 / beam")
    .describe(
      "strategies from easy to hard, each from an estimate on: method?option=value, or probes for their vote",
    ),
});

export default defineMethod({
  name: "compute-optimal",
  essence: "a few answers tell how hard the question is, and a fitted policy says which method gets it",
  kind: "search",
  source: "Snell et al., Scaling LLM Test-Time Compute Optimally, arXiv 2408.03314, sections 3 and 5",
  needs,
  cost: "the probes' tokens and rewards, then what the chosen method costs",
  use: "questions of mixed difficulty, with a policy fitted to this model and reward",
  schema,
  async run(search, options) {
    const policy = parsePolicy(options.policy);
    // Every strategy is checked, not only the one that this question will need.
    const plans = new Map(
      await Promise.all(policy.map(async ({ strategy }) => [strategy, await plan(strategy)] as const)),
    );
    const probes = await writeOn(
      search,
      Array.from({ length: options.probes }, () => ({
        node: search.root,
        role: "draft" as const,
        sampling: { temperature: options.sampleTemperature },
      })),
    );
    const rewards = await scoreAnswers(search, probes, options.aggregation);
    offerBest(
      search,
      probes.map((node, index) => ({ node, merit: rewards[index]! })),
    );
    const estimate = await estimateSuccess(search, probes, rewards, options.estimate);
    const chosen = plans.get(strategyFor(policy, estimate))!;
    const best = await vote(search, probes, rewards);
    keepOnly(search, probes, [best]);
    return chosen ? chosen.method.run(search, chosen.options) : search.finish(best);
  },
});

interface Plan {
  readonly method: Method;
  readonly options: Record<string, unknown>;
}

/** The method and its settled options; null for the probes' own vote. Throws `invalid-option` or `unknown-name`. */
async function plan({ name, options }: Strategy): Promise<Plan | null> {
  if (name === "probes") return null;
  const method = await methods.get(name);
  const missing = (["draft", "target", "reward"] as const).find(
    (role) => method.needs[role] && !(role in needs),
  );
  const capability = method.needs.draft?.find((one) => !(needs.draft as readonly string[]).includes(one));
  if (missing || capability) {
    const what = missing ? `a ${missing}` : `"${capability}" of its draft`;
    throw new StepwrightError(
      "invalid-option",
      `policy: ${name} needs ${what}, which compute-optimal does not ask for`,
      {
        subject: "policy",
        remedy: "choose methods that need a draft's text and a reward at most",
      },
    );
  }
  return { method, options: parseOptions(method, typedOptions(method, options)) };
}

async function estimateSuccess(
  search: Search,
  probes: readonly Node[],
  rewards: readonly number[],
  by: z.output<typeof schema>["estimate"],
): Promise<number> {
  if (by === "agreement") {
    const [commonest] = await groupByAnswer(search, probes);
    return (commonest?.nodes.length ?? 0) / probes.length;
  }
  const checks = by === "check" ? await Promise.all(probes.map((node) => search.check(node))) : [];
  // A task without a checker leaves the reward.
  const scores = rewards.map((reward, index) => checks[index]?.score ?? reward);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** The best probe of the answer with the greatest sum of rewards; of probes without an answer the best. */
async function vote(search: Search, probes: readonly Node[], rewards: readonly number[]): Promise<Node> {
  const [winner] = await groupByAnswer(search, probes, rewards);
  const members = winner?.nodes ?? probes;
  const rewardOf = (node: Node) => rewards[probes.indexOf(node)]!;
  return members.reduce((best, node) => (rewardOf(node) > rewardOf(best) ? node : best));
}
