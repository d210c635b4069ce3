import { z } from "zod";
import { DraftTree, type Proposal, pointProposal, root } from "../core/draft-tree.js";
import { keyedUniform } from "../core/random.js";
import { headLaw, pick, type SparseLaw } from "../core/sparse-law.js";
import { type DraftRequest, defineDrafter } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import type { DraftPlace } from "./shared/draft-reader.js";
import { draftUniform } from "./shared/draws.js";
import { headOption } from "./shared/options.js";
import { openReader } from "./shared/reader-sessions.js";
import { neededDraft } from "./shared/resources.js";

export default defineDrafter({
  name: "model",
  essence: "a chain that the draft model writes",
  source: "Leviathan et al., arXiv 2211.17192; Chen et al., arXiv 2302.01318; card speculative-sampling, A",
  shape: "chain",
  proposals: ["point", "independent"],
  needsDraft: true,
  cost: "one pass of the draft model per drafted token",
  use: "any text, with a draft that costs a small part of the target and often agrees with it",
  schema: z.object({
    draws: z
      .enum(["coupled", "sampled", "top"])
      .default("coupled")
      .describe(
        "coupled draws with the coins of the target's own draws, for the agreement rule; sampled tells the law to the rejection rules; top is the most probable token",
      ),
    ...headOption,
  }),
  async open(resources, { draws, head }) {
    const model = neededDraft(resources, "model");
    const propose = { coupled, sampled, top }[draws];
    return openReader(model, [draws === "sampled" ? "independent" : "point"], () => ({
      async propose(reader, request) {
        const tree = new DraftTree();
        const most = Math.min(request.depth, request.nodes, reader.room(request.tokens.length));
        if (most < 1) return tree;
        const options = { topK: head, hidden: request.hidden, signal: request.signal };
        let place = await reader.read(request.tokens, options);
        for (let parent = root; ; ) {
          const depth = place.path.length + 1;
          const { token, proposal } = propose(place, request);
          parent = tree.add({ token, parent, proposal, origin: "model", row: place.row });
          const stops = request.shouldStop?.({ depth, ...ownView(place, token) }) ?? false;
          if (stops || depth >= most || model.endTokens?.has(token)) return tree;
          [place] = (await reader.expand([{ place, token }], options)) as [DraftPlace];
        }
      },
    }));
  },
});

interface Drawn {
  readonly token: Token;
  readonly proposal: Proposal;
}

function sampled({ row, path }: DraftPlace, request: DraftRequest): Drawn {
  const law = headLaw(row.topK, request.sampling);
  const token = pick(law, draftUniform(request, [...path.map(() => 0), 0]));
  return { token, proposal: { kind: "independent", law } };
}

function top({ row }: DraftPlace): Drawn {
  return { token: row.topK[0]!.token, proposal: pointProposal };
}

/** What the target would draw here if its law were the draft's: it often draws the same. */
function coupled({ row, path }: DraftPlace, { sampling, key, tokens }: DraftRequest): Drawn {
  const uniform = keyedUniform(sampling.seed, key, tokens.length + path.length, "sample");
  const law = headLaw(row.topK, sampling);
  // A truncated law is drawn from by rank, a whole one by id (src/native/truncated-draw.ts): the same order couples best.
  const truncates = sampling.topK > 0 || sampling.topP < 1 || sampling.minP > 0;
  return { token: pick(truncates ? byRank(law) : law, uniform), proposal: pointProposal };
}

function byRank({ tokens, probabilities }: SparseLaw): SparseLaw {
  const order = [...tokens.keys()].sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  return {
    tokens: order.map((index) => tokens[index]!),
    probabilities: order.map((index) => probabilities[index]!),
  };
}

/** What the controller may know: the draft model's own numbers, at temperature 1. */
function ownView({ row, hidden }: DraftPlace, token: Token) {
  const { logprob } = row.topK.find((candidate) => candidate.token === token)!;
  return { probability: Math.exp(logprob), entropy: row.entropy, hidden };
}
