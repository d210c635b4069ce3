/**
 * A chat model that writes its own principles and a critique before it scores, several times over. Hundreds of
 * tokens a score: for whole answers, or for steps that cheaper rewards leave in doubt.
 */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import {
  addUsage,
  type Branch,
  type Extension,
  type Model,
  noUsage,
  type Usage,
  wholeUsage,
} from "../core/model.js";
import { keyedBits } from "../core/random.js";
import type { Token } from "../core/step.js";
import { type GrmCase, grmMessages, parseScores } from "./grm-prompt.js";
import { keepBest, shuffledOrder, tally, unshuffled, type Vote } from "./grm-votes.js";
import { createHead, type Head, headTensorNames } from "./head.js";
import { defineRewardKind, type RewardContext } from "./kind.js";
import { createModelReward } from "./model-reward.js";
import type { Judgement, ReadPlace } from "./reader.js";
import { hold } from "./trunk.js";

const schema = z.strictObject({
  votes: z.coerce.number().int().min(1).max(64).default(8).describe("judgements written for a score"),
  keep: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("how many the filter keeps; default half of the votes where there is a filter, else all"),
  temperature: z.coerce
    .number()
    .min(0)
    .max(2)
    .default(0.5)
    .describe("of the judgements; 0 with one vote is the greedy judgement"),
  tokens: z.coerce
    .number()
    .int()
    .min(16)
    .max(4096)
    .default(512)
    .describe("most tokens of one judgement; one that is cut off is void"),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("of the judgements; a run's seed does not change a reward"),
  filter: z
    .string()
    .min(1)
    .optional()
    .describe(
      "safetensors file with a head on mean log-probability, log length and agreement of a judgement",
    ),
});

export type GrmOptions = z.output<typeof schema>;

export default defineRewardKind({
  name: "grm",
  essence: "a chat model writes principles and a critique, then scores; several votes are averaged",
  source: "Liu et al., Inference-Time Scaling for Generalist Reward Modeling, arXiv 2504.02495",
  schema,
  presets: {},
  async open(name, reference, options, context) {
    const model = await context.openModel(reference);
    const filter = await openFilter(options, context);
    return createModelReward(
      {
        model,
        async layout(question, steps) {
          const texts = steps.map(({ text }) => text);
          const before = texts.slice(0, -1).join("");
          return (await model.renderChat(grmMessages({ question, before, responses: [texts.at(-1)!] })))
            .tokens;
        },
        ask: {},
        judge: (_, place) => judgeStep(model, options, filter, place),
        writes: { texts: options.votes, tokens: options.tokens },
      },
      { name, essence: `${model.name} as generative judge (${options.votes} votes)`, leastMass: 0 },
    );
  },
});

export interface Grades {
  /** One for each response, in [1, 10]. */
  readonly scores: readonly number[];
  /** Those that counted. */
  readonly votes: readonly Vote[];
  /** Of all votes. */
  readonly usage: Usage;
}

export interface GradingContext {
  readonly filter?: Head | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Grades responses beside each other, each vote over the responses in an order of its own. Throws `reward-failed`
 * where no judgement ends in scores.
 */
export function gradeTogether(
  model: Model,
  options: GrmOptions,
  { question, before, responses }: GrmCase,
  context: GradingContext = {},
): Promise<Grades> {
  return grade(model, options, context, async (index) => {
    const order = shuffledOrder(responses.length, options.seed, `${question}\n${index}`);
    const shown = order.map((response) => responses[response]!);
    const { tokens } = await model.renderChat(grmMessages({ question, before, responses: shown }));
    return { ...(await hold({ model }, tokens, context.signal)), order };
  });
}

/** The votes on one step, all from the reading that is there already. */
async function judgeStep(
  model: Model,
  options: GrmOptions,
  filter: Head | undefined,
  { branch, ids, signal }: ReadPlace,
): Promise<Judgement> {
  const { scores, votes, usage } = await grade(model, options, { filter, signal }, async () => {
    return { branch: branch.fork(), ids, order: [0], usage: noUsage };
  });
  const mass = votes.reduce((sum, { meanLogprob }) => sum + Math.exp(meanLogprob), 0) / votes.length;
  return { value: scores[0]! / 10, mass, usage };
}

/** A place to write one judgement: a branch of its own, and which response is shown where. */
interface Desk {
  readonly branch: Branch;
  readonly ids: readonly Token[];
  readonly order: readonly number[];
  readonly usage: Usage;
}

async function grade(
  model: Model,
  options: GrmOptions,
  { filter, signal }: GradingContext,
  open: (index: number) => Promise<Desk>,
): Promise<Grades> {
  const written = await Promise.all(
    Array.from({ length: options.votes }, async (_, index) => {
      const { branch, ids, order, usage } = await open(index);
      try {
        const extension = await write(branch, ids, index, options, signal);
        return { vote: voteOf(extension, order), usage: addUsage(usage, wholeUsage(extension)) };
      } finally {
        branch.drop();
      }
    }),
  );
  const votes = written.flatMap(({ vote }) => vote ?? []);
  if (votes.length === 0) throw noScores(model, options);
  const { keep = Math.ceil(options.votes / 2) } = options;
  const kept = filter ? await keepBest(votes, keep, (features) => filter.apply(features)) : votes;
  return {
    scores: tally(kept),
    votes: kept,
    usage: written.reduce((sum, { usage }) => addUsage(sum, usage), noUsage),
  };
}

/** A judgement's random numbers follow from what it reads and which vote it is. */
function write(
  branch: Branch,
  ids: readonly Token[],
  index: number,
  { temperature, tokens, seed }: GrmOptions,
  signal: AbortSignal | undefined,
): Promise<Extension> {
  return branch.extend({
    splitter: { kind: "none" },
    maxTokens: tokens,
    sampling: { temperature, topK: 0, topP: 1, minP: 0, seed },
    key: `grm:${keyedBits(seed, ids.join(), ids.length, "judgement")}:${index}`,
    signal,
  });
}

function voteOf({ text, logprobs, stop }: Extension, order: readonly number[]): Vote | null {
  const scores = stop === "end" ? parseScores(text, order.length) : null;
  if (!scores) return null;
  const meanLogprob = logprobs.reduce((sum, value) => sum + value, 0) / logprobs.length;
  return { scores: unshuffled(scores, order), meanLogprob, tokens: logprobs.length };
}

function noScores(model: Model, { votes }: GrmOptions): StepwrightError {
  return new StepwrightError(
    "reward-failed",
    `none of ${votes} judgements of ${model.name} ended in scores`,
    {
      subject: model.name,
      remedy: "allow longer judgements (?tokens=), more votes, or use a model that follows instructions",
    },
  );
}

async function openFilter({ filter, keep }: GrmOptions, context: RewardContext): Promise<Head | undefined> {
  if (filter === undefined) {
    if (keep === undefined) return undefined;
    throw new StepwrightError("invalid-option", 'option "keep" of reward grm needs a filter to choose by', {
      subject: "keep",
      remedy: "name one (?filter=FILE), or leave keep out",
    });
  }
  return createHead(await context.loadHead(filter, headTensorNames), filter);
}
