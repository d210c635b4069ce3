/** What a reward says of given steps. */
import { Hono } from "hono";
import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { addUsage, type Model, noUsage } from "../../core/model.js";
import { aggregate, aggregations, type Reward } from "../../core/reward.js";
import type { Writer } from "../../core/search.js";
import { ApiError } from "../api-error.js";
import { readJsonObject } from "../body.js";
import { clientGone } from "../client.js";
import { openGivenSteps } from "../given-steps.js";
import type { ServerLimits } from "../limits.js";
import { modelNotFound } from "../model-not-found.js";
import { parseFields } from "../request/issue.js";
import { namedText, plainText } from "../request/text.js";
import type { ServerApp, ServerEnvironment } from "../types.js";
import type { Served } from "./served.js";

function rewardSchema(limits: ServerLimits) {
  return z.object({
    model: z.string(),
    question: namedText,
    system: plainText.nullish(),
    /** In order; each is scored after the ones before it. */
    steps: z.array(namedText).min(1).max(limits.steps),
    aggregation: z.enum(aggregations).default("min"),
  });
}

export function rewardRoutes({ models, limits, service }: Served): ServerApp {
  const app = new Hono<ServerEnvironment>();
  const schema = rewardSchema(limits);
  app.post("/v1/rewards", async (c) => {
    const { incoming, outgoing } = c.env;
    const body = await readJsonObject(incoming, limits);
    const { model, question, system, steps, aggregation } = parseFields(schema, body);
    const preset = models.find(model);
    if (!preset) throw modelNotFound(model);
    if (service.state === "draining") {
      throw new ApiError(503, "draining", "the server is stopping", { retryAfter: 5 });
    }
    const { reward, target, draft } = models.pair(preset.pair);
    const writer = draft ?? target;
    if (!reward || !writer) {
      throw new ApiError(400, "missing_role", "this pair has no reward", { param: "model" });
    }
    if (reward.needsStepCheck) {
      throw new ApiError(400, "missing_capability", `${reward.name} only scores questions of a task`, {
        param: "model",
      });
    }
    const signal = clientGone(incoming, outgoing);
    const { rewards, usage } = await score(
      reward,
      { model: writer, role: draft ? "draft" : "target" },
      { question, system: system ?? null, steps },
      signal,
    );
    return c.json({
      id: c.get("requestId"),
      object: "rewards",
      created: Math.floor(Date.now() / 1000),
      model,
      reward: reward.name,
      data: rewards.map((value, index) => ({ object: "reward", index, reward: value })),
      aggregation,
      aggregate: aggregate(aggregation, rewards),
      usage: {
        prompt_tokens: usage.prefillTokens,
        completion_tokens: usage.decodeTokens,
        total_tokens: usage.prefillTokens + usage.decodeTokens,
      },
    });
  });
  return app;
}

interface Asked {
  readonly question: string;
  readonly system: string | null;
  readonly steps: readonly string[];
}

async function score(
  reward: Reward,
  writer: { readonly model: Model; readonly role: Writer },
  { question, system, steps }: Asked,
  signal: AbortSignal,
) {
  const user = { role: "user", content: question } as const;
  using given = await openGivenSteps({
    ...writer,
    conversation: system === null ? [user] : [{ role: "system", content: system }, user],
    figures: reward.readsFigures === true,
    signal,
  });
  const scorer = await reward.open(question, { system });
  const rewards: number[] = [];
  let usage = noUsage;
  try {
    for (const [index, text] of steps.entries()) {
      // Steps end with the blank line that parts them, as those of a run do.
      const isLast = index === steps.length - 1;
      const { step, usage: read } = await given.next(isLast || text.endsWith("\n\n") ? text : `${text}\n\n`);
      const { value, usage: paid } = await scorer.append(step, { signal });
      if (!(value >= 0 && value <= 1)) {
        throw new StepwrightError("reward-failed", `the reward of step ${index} is not a number in [0, 1]`);
      }
      rewards.push(value);
      usage = addUsage(usage, addUsage(read, paid));
    }
    return { rewards, usage };
  } finally {
    scorer.drop();
  }
}
