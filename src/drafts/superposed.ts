import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { BlendPart } from "../core/model.js";
import { headLaw, type SparseLaw } from "../core/sparse-law.js";
import { type DraftRequest, defineDrafter } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import type { DraftReader } from "./shared/draft-reader.js";
import { NGrams } from "./shared/ngrams.js";
import { PointTree } from "./shared/point-tree.js";
import { openReader } from "./shared/reader-sessions.js";
import { neededDraft } from "./shared/resources.js";

const schema = z.object({
  drafts: z.int().min(1).max(16).default(3).describe("texts that are written at once"),
  temperature: z.number().gt(0).max(2).default(0.06).describe("of the shared law"),
  head: z.int().min(1).max(128).default(9).describe("most probable tokens of the shared law that are kept"),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.54)
    .describe("weight of the n-grams, which tell the texts apart; 0 leaves the shared law alone"),
  penalty: z
    .number()
    .min(0)
    .max(1000)
    .default(200)
    .describe("taken off a text's continuations where its n-grams know none of them, in nats"),
});

type Options = z.output<typeof schema>;

export default defineDrafter({
  name: "superposed",
  essence: "several texts for the passes of one: the draft model reads a mixture of their last tokens",
  source: "Shen et al., Superposed Decoding, NeurIPS 2024, arXiv 2405.18400, as a drafter",
  shape: "tree",
  proposals: ["point"],
  needsDraft: true,
  cost: "one pass of the draft model per depth, whatever the number of texts",
  use: "short drafts of a white-box draft model, with n-grams of texts like the ones written; a study, seldom a gain",
  schema,
  async open(resources, options) {
    const model = neededDraft(resources, "superposed");
    if (!model.capabilities.has("graph")) {
      throw new StepwrightError(
        "missing-capability",
        `${model.name} takes tokens alone, no mixtures of them`,
        {
          subject: "draft",
          remedy: "open the draft model as a white box: write graph: before its reference",
        },
      );
    }
    const grams = await NGrams.of(model, resources.texts ?? []);
    const ends = model.endTokens ?? new Set();
    return openReader(model, ["point"], () => ({
      async propose(reader, request) {
        const tree = new PointTree(request);
        for (const { path } of await superpose(reader, request, grams, options, ends)) {
          tree.addPath(path, "superposed");
        }
        return tree.tree;
      },
    }));
  },
});

/** One of the texts, and its log-score. */
interface Line {
  readonly path: readonly Token[];
  readonly score: number;
}

/** The texts, best first: those that ended among them. */
async function superpose(
  reader: DraftReader,
  request: DraftRequest,
  grams: NGrams,
  options: Options,
  ends: ReadonlySet<Token>,
): Promise<Line[]> {
  const { tokens, depth, nodes, signal, shouldStop } = request;
  const most = Math.min(depth, nodes, reader.room(tokens));
  if (most < 1) return [];
  const rowOptions = { topK: Math.max(options.head, options.drafts), signal };
  const best = (lines: Line[]) => lines.sort((a, b) => b.score - a.score).slice(0, options.drafts);
  const isOver = ({ path }: Line) => ends.has(path.at(-1)!);
  let place = await reader.read(tokens, rowOptions);
  const law = sharedLaw(place.row.topK, rowOptions.topK, options);
  const first = best(
    law.tokens.map((token, index) => ({ path: [token], score: Math.log(law.probabilities[index]!) })),
  );
  let finished = first.filter(isOver);
  let open = first.filter((line) => !isOver(line));
  for (let length = 1; length < most && open.length > 0; length++) {
    const { entropy, topK } = place.row;
    if (shouldStop?.({ depth: length, probability: Math.exp(topK[0]!.logprob), entropy })) break;
    const blend = mixture(open);
    [place] = (await reader.expand([{ place, token: blend[0]!.token, blend }], rowOptions)) as [typeof place];
    const next = sharedLaw(place.row.topK, options.head, options);
    const grown = open
      .flatMap((line) => continued(line, next, grams.scores([...tokens, ...line.path]), options))
      .sort((a, b) => b.score - a.score)
      .slice(0, 2 * options.drafts);
    finished = best([...finished, ...grown.filter(isOver)]);
    open = best(grown.filter((line) => !isOver(line)));
  }
  return [...open, ...finished].sort((a, b) => b.score - a.score);
}

/** Weights by the texts' scores; texts that end alike add theirs. The heaviest token first. */
function mixture(lines: readonly Line[]): BlendPart[] {
  const most = Math.max(...lines.map(({ score }) => score));
  const weights = new Map<Token, number>();
  for (const { path, score } of lines) {
    const last = path.at(-1)!;
    weights.set(last, (weights.get(last) ?? 0) + Math.exp(score - most));
  }
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return [...weights]
    .map(([token, weight]) => ({ token, weight: weight / total }))
    .sort((a, b) => b.weight - a.weight || a.token - b.token);
}

function sharedLaw(
  topK: readonly { readonly token: Token; readonly logprob: number }[],
  kept: number,
  { temperature }: Options,
): SparseLaw {
  return headLaw(topK.slice(0, kept), { temperature, topK: 0, topP: 1, minP: 0, seed: 0 });
}

/** A geometric mean of the shared law and the text's own n-grams; those alone tell the texts apart. */
function continued(
  { path, score }: Line,
  law: SparseLaw,
  scores: ReadonlyMap<Token, number>,
  { alpha, penalty }: Options,
): Line[] {
  const isKnown = alpha > 0 && law.tokens.some((token) => (scores.get(token) ?? 0) > 0);
  return law.tokens.flatMap((token, index) => {
    const shared = (1 - alpha) * Math.log(law.probabilities[index]!);
    const known = scores.get(token) ?? 0;
    if (isKnown && known === 0) return [];
    const own = isKnown ? alpha * Math.log(known) : alpha > 0 ? -penalty : 0;
    return [{ path: [...path, token], score: score + shared + own }];
  });
}
