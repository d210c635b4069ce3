import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { NextToken, Node, Search } from "../core/search.js";

const schema = z.object({
  trials: z.int().min(1).max(64).default(10).describe("most trials at one place"),
  entropyLow: z.number().min(0).max(10).default(0.01).describe("nats below which a place is certain"),
  entropyHigh: z.number().gt(0).max(20).default(1.5).describe("nats from which on all trials are made"),
  sampleTemperature: z.number().min(0).max(5).default(1.2).describe("of the trials; overrides the run's"),
  sampleTopP: z.number().gt(0).max(1).default(0.9).describe("of the trials; overrides the run's"),
  marks: z.string().min(1).max(64).default(".,\n?!:;)]}").describe("characters at which a trial ends"),
  cap: z
    .int()
    .min(1)
    .max(2048)
    .default(64)
    .describe("most tokens of a trial; the official code has no limit"),
});

type Options = z.output<typeof schema>;

/** Tokens that the law is computed on. Where they hold less than top-p, the entropy calls for all trials anyway. */
const breadth = 64;

export default defineMethod({
  name: "cntp",
  essence:
    "where the next token is uncertain, several trials up to a punctuation mark; the least surprising stays",
  kind: "token",
  source: "Wang et al., Cautious Next Token Prediction, ACL Findings 2025, arXiv 2507.03038, and its code",
  needs: { draft: ["candidates"] },
  cost: "the answer's tokens, times up to trials where the next token is uncertain; no reward",
  use: "sampling at a high temperature without a reward",
  schema,
  async run(search, options) {
    const { entropyLow, entropyHigh } = options;
    const sampling = samplingOf(options);
    if (entropyHigh <= entropyLow) options = { ...options, entropyHigh: entropyLow + Number.EPSILON };
    let node = search.root;
    while (!node.finish) {
      const { tokens } = await search.candidates(node, "draft", breadth);
      const count = trialsAt(processedEntropy(tokens, options), options);
      const written =
        count === 1
          ? await search.extend(node, {
              role: "draft",
              sampling,
              splitter: { kind: "entropy", limit: entropyLow },
            })
          : await bestTrial(search, node, count, options);
      node = search.commit(written);
    }
    return search.finish(node);
  },
});

function samplingOf({ sampleTemperature, sampleTopP }: Options) {
  return { temperature: sampleTemperature, topP: sampleTopP, topK: 0, minP: 0 };
}

async function bestTrial(search: Search, node: Node, count: number, options: Options): Promise<Node> {
  const { marks, cap } = options;
  const trials = await search.extendAll(
    Array.from({ length: count }, () => ({
      node,
      role: "draft" as const,
      origin: "trial",
      sampling: samplingOf(options),
      splitter: { kind: "marks" as const, marks },
      maxTokens: cap,
    })),
  );
  const surprise = trials.map(({ step }) => perplexity(step!.logprobs));
  return trials[surprise.indexOf(Math.min(...surprise))]!;
}

/** exp of minus the mean log-probability; by the model's own law, so that what top-p forces is not free. */
export function perplexity(logprobs: readonly number[]): number {
  return Math.exp(-logprobs.reduce((sum, value) => sum + value, 0) / Math.max(1, logprobs.length));
}

/** 1 up to the low entropy, all trials from the high one on, linear between (the code's form, not the paper's). */
export function trialsAt(entropy: number, { trials, entropyLow, entropyHigh }: Options): number {
  const share = (entropy - entropyLow) / (entropyHigh - entropyLow);
  return 1 + Math.floor((trials - 1) * Math.min(1, Math.max(0, share)));
}

/** Entropy in nats of the law that is sampled from: tempered, then cut to the smallest set that holds enough. */
export function processedEntropy(
  tokens: readonly Pick<NextToken, "logprob">[],
  { sampleTemperature, sampleTopP }: Pick<Options, "sampleTemperature" | "sampleTopP">,
): number {
  if (sampleTemperature === 0) return 0;
  const weights = tokens.map(({ logprob }) => Math.exp((logprob - tokens[0]!.logprob) / sampleTemperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let kept = 0;
  let sum = 0;
  for (const weight of weights) {
    if (kept >= sampleTopP * total) break;
    kept += weight;
    if (weight > 0) sum += weight * Math.log(weight);
  }
  return Math.log(kept) - sum / kept;
}
