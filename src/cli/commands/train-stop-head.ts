import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { fitLogistic, type LogisticFit, logisticValue } from "../../core/logistic-regression.js";
import type { Model } from "../../core/model.js";
import { startRun } from "../../core/run.js";
import plainTarget from "../../methods/target.js";
import { hubSettings } from "../../models/hub-settings.js";
import { encodeSafetensors } from "../../models/safetensors-writer.js";
import { speculate } from "../../speculation/speculate.js";
import { ownFeatures, stopHeadKind } from "../../speculation/stop-head/features.js";
import { recordingController, type StopExample } from "../../speculation/stop-head/recorder.js";
import { benchTask } from "../bench-task.js";
import { type CommandContext, defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { ModelStore } from "../model-store.js";
import { count, percent } from "../numbers.js";
import { lastingModel } from "../references.js";

/** Of the examples, the last ones are kept from the fit, to tell how good it is. */
const heldOut = 0.2;
/** Pull of the weights to 0, in examples: hidden states have more numbers than a short training has of anything. */
const ridge = 30;

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Trains the head that tells, of each drafted token, how likely this target accepts it: for the controller stop-head. The target answers questions while the draft model drafts, and what becomes of the drafts is what the head learns.",
  examples: [
    "stepwright train stop-head --draft small.gguf --target large.gguf --task questions.jsonl --limit 50",
    "stepwright solve --speculate model --speculate-controller stop-head?head=stop-head.safetensors PROBLEM",
  ],
  schema: z.object({
    draft: z.string().default("lab:draft").describe("The draft model, as it will be used."),
    target: z.string().default("lab:target").describe("The target."),
    task: z.string().optional().describe("A task or a JSON Lines file whose questions are answered."),
    limit: z.int().min(1).default(50).describe("How many questions."),
    offset: z.int().min(0).default(0).describe("How many questions to pass over first."),
    tokens: z.int().min(1).default(256).describe("Greatest length of an answer."),
    depth: z.int().min(1).max(32).default(6).describe("Drafts of each block."),
    temperature: z.number().min(0).default(0).describe("A head is good for the temperature it saw."),
    threads: z.int().min(1).max(256).default(1).describe("Compute threads."),
    context: z.int().min(1).optional().describe("Tokens of KV cache for each model."),
    out: z.string().default("stop-head.safetensors").describe("The file of the head."),
    json: jsonField,
  }),
  async run(context, settings) {
    const { host, print, printJson, signal } = context;
    const hub = hubSettings(host.environment);
    const { questions } = await benchTask({ ...settings, as: undefined }, context, hub);
    const lasting = (name: string) => lastingModel(name, host.workingFolder, hub);
    const references = {
      ...{ draft: await lasting(settings.draft), target: await lasting(settings.target) },
      ...{ threads: settings.threads, exact: false },
      ...(settings.context !== undefined && { context: settings.context }),
    };
    await using store = new ModelStore(references, { hub, signal });
    const [draft, target] = [await store.model("draft"), await store.model("target")];
    const texts = questions.map(({ question }) => question);
    const examples = await collect(context, { draft, target }, texts, settings);
    const fitted = examples.slice(0, Math.floor(examples.length * (1 - heldOut)));
    const kept = examples.slice(fitted.length);
    const fit = fitLogistic(learnable(fitted), { ridge });
    const losses = quality(fit, fitted, kept);
    const file = resolve(host.workingFolder, settings.out);
    await writeFile(file, encode(fit, draft, target));
    const accepted = examples.filter(({ right }) => right).length / examples.length;
    if (settings.json) {
      printJson({ file, examples: examples.length, accepted, heldOut: losses });
      return 0;
    }
    print(`${file}: ${count(examples.length)} drafts, ${percent(accepted)} of them accepted.`);
    const [head, own, rate] = [losses.head, losses.ownNumbers, losses.rate].map((nats) => nats.toFixed(3));
    print(
      `On the ${count(kept.length)} drafts kept from it: ${head} nats per draft; ${own} by the draft's own probability and entropy, ${rate} by the rate of acceptance alone.`,
    );
    return 0;
  },
});

/** The target answers, one question after the other, while the draft model drafts. */
async function collect(
  { host, signal, say }: CommandContext,
  { draft, target }: { readonly draft: Model; readonly target: Model },
  questions: readonly string[],
  { depth, tokens, temperature }: { depth: number; tokens: number; temperature: number },
): Promise<StopExample[]> {
  const examples: StopExample[] = [];
  const controller = recordingController(depth, examples);
  const model = await speculate(target, { drafter: "model", controller, draft });
  try {
    for (const [seed, question] of questions.entries()) {
      const request = { method: plainTarget, roles: { target: model }, question, seed, signal };
      await startRun({ ...request, sampling: { temperature }, maxTokens: tokens }).result;
      if (host.talk.isTerminal)
        say(`${seed + 1} of ${questions.length} questions, ${examples.length} drafts`);
    }
  } finally {
    await model.releaseDrafter();
  }
  return examples;
}

/** Mean loss of the held-out drafts in nats: by the head, by the drafter's own numbers alone, by the rate alone. */
function quality(fit: LogisticFit, examples: readonly StopExample[], kept: readonly StopExample[]) {
  const own = (example: StopExample) => ({ ...example, features: example.features.slice(-ownFeatures) });
  const ownFit = fitLogistic(learnable(examples.map(own)), { ridge });
  const rate = examples.filter(({ right }) => right).length / examples.length;
  return {
    examples: kept.length,
    head: loss(kept, ({ features }) => logisticValue(fit, features)),
    ownNumbers: loss(kept, (example) => logisticValue(ownFit, own(example).features)),
    rate: loss(kept, () => rate),
  };
}

function learnable(examples: readonly StopExample[]) {
  return {
    rows: examples.map(({ features }) => features),
    labels: examples.map(({ right }) => (right ? 1 : 0)),
  };
}

function loss(examples: readonly StopExample[], probability: (example: StopExample) => number): number {
  const terms = examples.map((example) => {
    const p = Math.min(1 - 1e-6, Math.max(1e-6, probability(example)));
    return -Math.log(example.right ? p : 1 - p);
  });
  return terms.reduce((sum, term) => sum + term, 0) / Math.max(1, terms.length);
}

function encode({ weights, bias }: LogisticFit, draft: Model, target: Model): Uint8Array {
  const tensors = new Map([
    ["stop.weight", { shape: [1, weights.length], values: Float32Array.from(weights) }],
    ["stop.bias", { shape: [1], values: Float32Array.of(bias) }],
  ]);
  return encodeSafetensors(tensors, {
    kind: stopHeadKind,
    draft: draft.fingerprint,
    target: target.fingerprint,
  });
}
