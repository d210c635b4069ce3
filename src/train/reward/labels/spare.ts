/** One generation grades all steps of an answer beside a worked solution. */
import { z } from "zod";
import { StepwrightError } from "../../../core/errors.js";
import { addUsage, type Extension, type Model, noUsage, offers, wholeUsage } from "../../../core/model.js";
import type { Token } from "../../../core/step.js";
import { commonPrefix } from "../../../rewards/reader.js";
import { type Held, hold } from "../../../rewards/trunk.js";
import {
  defineLabelSource,
  type LabelContext,
  type Labeller,
  labeller,
  toLabelUsage,
} from "./label-source.js";
import { type ReadGrading, readAnnotation, stepLabels } from "./spare-answer.js";
import { ends, lead, type SpareCase, spareMessages } from "./spare-prompt.js";

const schema = z.strictObject({
  detail: z
    .enum(["short", "full"])
    .default("short")
    .describe(
      "full: the annotator also names the question's parts and the earlier steps that a step rests on",
    ),
  read: z
    .enum(["verdict", "probability"])
    .default("verdict")
    .describe(
      "probability: how probable the annotator held its word for the step, in place of the word alone",
    ),
  missing: z
    .enum(["wrong", "outcome"])
    .default("wrong")
    .describe("label of a step that the annotator did not grade, or graded twice"),
  stepTokens: z.int().min(16).max(1024).default(96).describe("most tokens of the annotation for each step"),
});

type SpareOptions = z.output<typeof schema>;

export default defineLabelSource({
  name: "spare",
  essence: "a model compares all steps with a worked solution in one generation",
  source: "Rizvi et al., SPARE, arXiv 2506.15498, section 3",
  exactness: 0,
  needs: ["annotator", "solutions"],
  schema,
  open: openSpare,
});

async function openSpare(options: SpareOptions, context: LabelContext): Promise<Labeller> {
  const annotator = context.annotator!;
  if (options.read === "probability") requireProbabilities(annotator);
  // What two different cases have in common is the same for all: the rules and the examples.
  const [one, other] = await Promise.all([
    layout(annotator, options, { question: "a", reference: ["a"], steps: ["a"] }),
    layout(annotator, options, { question: "7", reference: ["7", "7"], steps: ["7", "7"] }),
  ]);
  const frame = await hold({ model: annotator }, one.slice(0, commonPrefix(one, other)), context.signal);
  // It is read once and charged to the first answer.
  let owed = frame.usage;
  const { label } = labeller(async (answer, question) => {
    const steps = answer.steps.map(({ text }) => text);
    const reference = question.steps!;
    const asked = { question: question.question, reference, steps };
    const { extension, usage } = await annotate(frame, annotator, options, asked, context);
    const { gradings, valid } = readAnnotation(lead + extension.text);
    const { values, ...note } = stepLabels(gradings, {
      steps: steps.length,
      referenceSteps: reference.length,
      outcome: answer.right,
      missing: options.missing === "outcome" && answer.right,
      chanceOf: options.read === "probability" ? await chances(annotator, extension) : undefined,
    });
    const spent = toLabelUsage(addUsage(owed, usage), 1);
    owed = noUsage;
    return { values, usage: spent, note: { ...note, valid } };
  });
  return { label, [Symbol.asyncDispose]: async () => frame.branch.drop() };
}

async function annotate(
  frame: Held,
  model: Model,
  options: SpareOptions,
  asked: SpareCase,
  { signal, seed }: LabelContext,
) {
  const ids = await layout(model, options, asked);
  const shared = commonPrefix(frame.ids, ids);
  const branch = frame.branch.fork();
  try {
    if (shared < frame.ids.length) branch.trim(shared);
    const rest = { text: "", tokens: ids.slice(shared), vocabulary: model.vocabulary };
    const { usage } = await branch.append(rest, { signal });
    const extension = await branch.extend({
      splitter: { kind: "stops", splitter: { kind: "none" }, stops: ends, before: "" },
      maxTokens: options.stepTokens * asked.steps.length,
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed },
      key: "spare",
      signal,
    });
    signal?.throwIfAborted();
    return { extension, usage: addUsage(usage, wholeUsage(extension)) };
  } finally {
    branch.drop();
  }
}

async function layout(model: Model, { detail }: SpareOptions, asked: SpareCase): Promise<readonly Token[]> {
  const { tokens } = await model.renderChat(spareMessages(detail, asked));
  return [...tokens, ...(await model.tokenize(lead))];
}

/** How probable the annotator held it that a step is right: by the first token of its word for it. */
async function chances(
  model: Model,
  { text, tokens, logprobs }: Extension,
): Promise<(grading: ReadGrading) => number> {
  const borders: number[] = [];
  for (const { length } of await model.tokenBytes!(tokens)) borders.push((borders.at(-1) ?? 0) + length);
  return ({ right, labelAt }) => {
    const before = Buffer.byteLength(text.slice(0, labelAt - lead.length));
    const chance = Math.exp(logprobs[borders.findIndex((border) => border > before)]!);
    return right ? chance : 1 - chance;
  };
}

function requireProbabilities(model: Model): void {
  if (model.tokenBytes && offers(model, "logprobs")) return;
  throw new StepwrightError("missing-capability", `${model.name} tells no probabilities of its words`, {
    subject: model.name,
    remedy: "leave out read=probability, or use a local GGUF model as annotator",
  });
}
