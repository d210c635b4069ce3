/** A head trained here for one pair of models, on whatever of a step its training found worth looking at. */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Scorer } from "../core/reward.js";
import { adviceOf, readHeadFacts } from "./head-file.js";
import { defineRewardKind, type ExplainedScore, type SelfTest } from "./kind.js";
import { testQuestion, testSteps } from "./model-reward.js";
import { ReadingScorer } from "./reading-scorer.js";
import { isOfWriter, needsOf, rolesReading } from "./readings/features.js";
import { openReadings } from "./readings/index.js";
import type { ReaderRole, ReadingChain, ReadingSource } from "./readings/readings.js";
import { openTrainedHead, type TrainedHead } from "./trained-head.js";

export default defineRewardKind({
  name: "head",
  essence:
    "a head trained for this pair: token statistics, likelihoods, judgements and hidden states of a step",
  source: "stepwright train reward; docs/train-reward.md",
  model: "file",
  schema: z.strictObject({
    draft: z.string().min(1).default("draft").describe("the model whose steps the head was trained on"),
    target: z
      .string()
      .min(1)
      .default("target")
      .describe("the other model it looks at, where it looks at one"),
  }),
  presets: {},
  resources: (file, { draft }) => [file, draft],
  mayOpen: ({ target }) => [target],
  // The draft's states come with the steps it writes.
  async reader(file, { target }, context) {
    const { features } = readHeadFacts(await context.loadHeadFacts(file), file);
    return rolesReading(features).has("target") ? target : undefined;
  },
  async open(name, file, references, context) {
    const head = await openTrainedHead(file, context);
    const { features } = head.facts;
    const needs = needsOf(features);
    const read = rolesReading(features);
    const openRole = async (role: ReaderRole) => {
      const model = await context.openModel(references[role]);
      refuseOther(model, role, head, file);
      return model;
    };
    const draft = await openRole("draft");
    const target = read.has("target") ? await openRole("target") : undefined;
    const source = await openReadings(needs, { draft, ...(target && { target }) });
    try {
      const reader = target ?? (read.has("draft") ? draft : undefined);
      const advice = adviceOf(head.facts);
      return {
        name,
        fingerprint: head.fingerprint,
        essence: `head for steps of ${draft.name} (${features.length} features)`,
        check: read.size > 0 ? await selfTest(head, source) : null,
        readsFigures: features.some(isOfWriter),
        readsStatesOf: source.readsStatesOf,
        fittedTo: head.facts.splitter,
        ...(reader && { size: reader.size }),
        ...(advice && { advice }),
        open: async (question, occasion) => scorerOf(head, await source.open(question, occasion)),
        [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
      };
    } catch (error) {
      await source[Symbol.asyncDispose]();
      throw error;
    }
  },
});

function refuseOther({ name, fingerprint }: Model, role: ReaderRole, { facts }: TrainedHead, file: string) {
  if (fingerprint === facts[role]) return;
  throw new StepwrightError("reward-invalid", `${file} was trained for another ${role} than ${name}`, {
    subject: file,
    remedy: `use the ${role} it was trained with, or train one for this pair: stepwright train reward`,
  });
}

function scorerOf(head: TrainedHead, chain: ReadingChain): Scorer {
  return new ReadingScorer(chain, async ({ readings, cost: { usage } }): Promise<ExplainedScore> => {
    const value = await head.score(readings);
    return { value, usage, pulls: () => head.pulls?.(readings) ?? [] };
  });
}

/** Reads two steps with all that the head looks at; their writer's figures are made up, the same for both. */
async function selfTest(head: TrainedHead, source: ReadingSource): Promise<SelfTest> {
  const base = await source.open(testQuestion);
  try {
    const scoreOf = async (text: string) => {
      const scorer = scorerOf(head, base.fork());
      try {
        const { value } = await scorer.append({ ...madeUp, text });
        return value;
      } finally {
        scorer.drop();
      }
    };
    const check = { right: await scoreOf(testSteps.right), wrong: await scoreOf(testSteps.wrong) };
    if (Number.isFinite(check.right) && Number.isFinite(check.wrong)) return check;
    throw new StepwrightError("reward-invalid", "the head gives no number for a plain step", {
      subject: "reward",
      remedy: "train it again: stepwright train reward",
    });
  } finally {
    base.drop();
  }
}

const madeUp = {
  ...{ tokens: [], vocabulary: "", origin: "test", stop: "delimiter" as const },
  ...{ logprobs: [-0.1], entropies: [0.1] },
};
