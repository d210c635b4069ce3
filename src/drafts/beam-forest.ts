import { z } from "zod";
import { type Proposal, pointProposal } from "../core/draft-tree.js";
import { pick, probabilityOf } from "../core/sparse-law.js";
import { type DraftRequest, defineDrafter, type Verified } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { BeamWidth } from "./shared/beam-width.js";
import { draftUniform, kindsOf } from "./shared/draws.js";
import { headOption, temperatureOption } from "./shared/options.js";
import { type DraftPolicy, openReader } from "./shared/reader-sessions.js";
import { neededDraft } from "./shared/resources.js";
import { type Shoot, type Sprout, TreeGrower } from "./shared/tree-grower.js";

export default defineDrafter({
  name: "beam-forest",
  essence: "beams of the draft model: each depth has a few nodes, shared out over the likely branches",
  source:
    "Qin et al., DSBD, AAAI 2025, arXiv 2409.16560 (independent draws; one text is kept after each block, as in its lean variant); stochastic beams: Jeon et al., arXiv 2402.14160, variant S",
  shape: "tree",
  proposals: ["independent", "without-replacement", "point"],
  needsDraft: true,
  cost: "one pass of the draft model per depth, over at most width nodes",
  use: "deep trees with few nodes per depth; the width follows what was accepted so far",
  schema: z.object({
    width: z.int().min(1).max(64).default(4).describe("beams: draws at each depth, at most"),
    narrowest: z.int().min(1).max(64).default(1).describe("beams that are drawn in any case"),
    confidence: z
      .number()
      .min(0)
      .max(1)
      .default(0.7)
      .describe(
        "each depth has as many beams as are accepted at the depth before with this probability; 0 keeps the width",
      ),
    draws: z
      .enum(["without-replacement", "independent"])
      .default("without-replacement")
      .describe("stochastic beam search, or the draws of DSBD"),
    ...temperatureOption,
    ...headOption,
  }),
  async open(resources, { width, narrowest, confidence, ...options }) {
    const model = neededDraft(resources, "beam-forest");
    const settings = { ...options, origin: "beam-forest" };
    const policy = (widths: BeamWidth): DraftPolicy => ({
      async propose(reader, request) {
        const grower = new TreeGrower(reader, request, settings, model.endTokens);
        const first = await grower.begin();
        let beams = first ? [{ sprout: first, score: 0, bound: 0 }] : [];
        for (let count = width; beams.length > 0 && !grower.isFull; count = widths.next(count)) {
          const drawn = draw(grower, beams, count, request);
          if (grower.stopsAfter(drawn.map(({ shoot }) => shoot))) break;
          const going = drawn.filter(({ shoot }) => grower.canGrow(shoot)).slice(0, grower.room);
          const sprouts = await grower.expand(going.map(({ shoot }) => shoot));
          beams = sprouts.map((sprout, index) => ({ ...going[index]!, sprout }));
        }
        return grower.tree;
      },
      learn: (verified: Verified) => widths.learn(verified),
      fork: () => policy(widths.copy()),
    });
    return openReader(model, kindsOf[options.draws], () => policy(new BeamWidth(narrowest, confidence)));
  },
});

interface Beam {
  readonly sprout: Sprout;
  /** Log-probability of the beam: in the joint law of its layer (DSBD), or of its path (stochastic beams). */
  readonly score: number;
  /** Its perturbed score, which those of its children do not exceed. */
  readonly bound: number;
}

type Drawn = Omit<Beam, "sprout"> & { readonly shoot: Shoot };

function draw(grower: TreeGrower, beams: readonly Beam[], count: number, request: DraftRequest): Drawn[] {
  return beams[0]!.sprout.picker.draws === "independent"
    ? drawPairs(grower, beams, count, request)
    : drawBest(grower, beams, Math.min(count, grower.room), request);
}

/** DSBD: beam and token are drawn together from their joint law; given the beam, the token has the beam's own law. */
function drawPairs(
  grower: TreeGrower,
  beams: readonly Beam[],
  count: number,
  request: DraftRequest,
): Drawn[] {
  const most = Math.max(...beams.map(({ score }) => score));
  const weights = beams.map(({ score }) => Math.exp(score - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = { tokens: [...beams.keys()], probabilities: weights.map((weight) => weight / total) };
  const chosen = new Map<number, Drawn>();
  for (let turn = 0; turn < count; turn++) {
    const at = pick(shares, draftUniform(request, [beams[0]!.sprout.depth, turn], ":beam"));
    const { sprout } = beams[at]!;
    const shoot = grower.draw(sprout);
    if (!shoot) break;
    const joint = shares.probabilities[at]! * shoot.probability;
    const before = chosen.get(shoot.node);
    // Two equal draws are two beams with one text: together they weigh twice as much.
    const score = before ? Math.log(Math.exp(before.score) + joint) : Math.log(joint);
    chosen.set(shoot.node, { shoot: before?.shoot ?? shoot, score, bound: 0 });
  }
  return [...chosen.values()];
}

/** The best tokens over all beams by perturbed score; by the score itself where drafts are points. */
function drawBest(grower: TreeGrower, beams: readonly Beam[], count: number, request: DraftRequest): Drawn[] {
  return beams
    .flatMap((beam) => candidates(beam, request))
    .sort((a, b) => b.bound - a.bound)
    .slice(0, count)
    .map(({ beam: { sprout }, token, proposal, score, bound }) => {
      const probability = probabilityOf(token, sprout.picker.law);
      return { shoot: grower.add(sprout, { token, probability, proposal }), score, bound };
    });
}

interface Candidate {
  readonly beam: Beam;
  readonly token: Token;
  readonly proposal: Proposal;
  readonly score: number;
  readonly bound: number;
}

/** Kool et al., arXiv 1903.06059: Gumbel noise on the children, conditioned on their greatest being the parent's. */
function candidates(beam: Beam, request: DraftRequest): Candidate[] {
  const { law, draws } = beam.sprout.picker;
  const scores = law.probabilities.map((p) => beam.score + Math.log(p));
  if (draws === "top") {
    return law.tokens.map((token, index) => {
      const score = scores[index]!;
      return { beam, token, proposal: pointProposal, score, bound: score };
    });
  }
  const proposal = { kind: "without-replacement", law } as const;
  const noisy = scores.map((score, index) => {
    const uniform = draftUniform(request, [...beam.sprout.ranks, law.tokens[index]!], ":gumbel");
    return score - Math.log(-Math.log(uniform));
  });
  const most = Math.max(...noisy);
  return law.tokens.map((token, index) => {
    const above = beam.bound - noisy[index]! + Math.log1p(-Math.exp(noisy[index]! - most));
    const bound = beam.bound - Math.max(0, above) - Math.log1p(Math.exp(-Math.abs(above)));
    return { beam, token, proposal, score: scores[index]!, bound };
  });
}
