/** A chain that a draft model writes, one pass per token. */
import { DraftTree, type Proposal, pointProposal, root } from "../../core/draft-tree.js";
import { keyedUniform } from "../../core/random.js";
import { headLaw, pick, type SparseLaw } from "../../core/sparse-law.js";
import type { DraftRequest } from "../../core/speculation.js";
import type { Token } from "../../core/step.js";
import type { DraftPlace, DraftReader } from "./draft-reader.js";
import { draftUniform } from "./draws.js";

/** How the next token of a chain is chosen: see `chainDraws`. */
export type ChainDraws = "coupled" | "sampled" | "top";

export interface ChainOptions {
  readonly draws: ChainDraws;
  /** How much of the draft's row the drafts are drawn from. */
  readonly head: number;
  readonly origin: string;
}

export function chainKinds(draws: ChainDraws): readonly Proposal["kind"][] {
  return [draws === "sampled" ? "independent" : "point"];
}

export async function draftChain(
  reader: DraftReader,
  request: DraftRequest,
  { draws, head, origin }: ChainOptions,
  ends: ReadonlySet<Token> = new Set(),
): Promise<DraftTree> {
  const tree = new DraftTree();
  const most = Math.min(request.depth, request.nodes, reader.room(request.tokens));
  if (most < 1) return tree;
  const options = { topK: head, hidden: request.hidden, signal: request.signal };
  let place = await reader.read(request.tokens, options);
  for (let parent = root; ; ) {
    const depth = place.path.length + 1;
    const { token, proposal } = choices[draws](place, request);
    parent = tree.add({ token, parent, proposal, origin, row: place.row });
    const stops = request.shouldStop?.({ depth, ...ownView(place, token) }) ?? false;
    if (stops || depth >= most || ends.has(token)) return tree;
    [place] = (await reader.expand([{ place, token }], options)) as [DraftPlace];
  }
}

interface Choice {
  readonly token: Token;
  readonly proposal: Proposal;
}

const choices: Readonly<Record<ChainDraws, (place: DraftPlace, request: DraftRequest) => Choice>> = {
  sampled({ row, path }, request) {
    const law = headLaw(row.topK, request.sampling);
    const token = pick(law, draftUniform(request, [...path.map(() => 0), 0]));
    return { token, proposal: { kind: "independent", law } };
  },

  top: ({ row }) => ({ token: row.topK[0]!.token, proposal: pointProposal }),

  /** What the target would draw here if its law were the draft's: it often draws the same. */
  coupled({ row, path }, { sampling, key, tokens }) {
    const uniform = keyedUniform(sampling.seed, key, tokens.length + path.length, "sample");
    const law = headLaw(row.topK, sampling);
    // A truncated law is drawn from by rank, a whole one by id (src/native/truncated-draw.ts): the same order couples best.
    const truncates = sampling.topK > 0 || sampling.topP < 1 || sampling.minP > 0;
    return { token: pick(truncates ? byRank(law) : law, uniform), proposal: pointProposal };
  },
};

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
