/**
 * One particle filter over steps (Puri et al., arXiv 2502.01618): what the particle methods share. Steps are sampled
 * from the model, particles are weighed by the reward of their prefix, and redrawn in proportion to their weights.
 */
import { z } from "zod";
import { annealedTemperature, annealingRules } from "./entropic-annealing.js";
import { resample, resamplingSchemes } from "./resampling.js";
import { aggregate, aggregations } from "./reward.js";
import type { Node, Search } from "./search.js";
import { commonAncestor, keepOnly, offerBest } from "./survivors.js";
import { groupByAnswer } from "./vote.js";
import { drawIndex, effectiveSampleSize, softmax } from "./weights.js";

export const particleOptions = {
  particles: z
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe("answers written side by side")
    .meta({ width: true }),
  sampleTemperature: z.number().min(0).max(10).default(0.8).describe("temperature of every step"),
  endTemperature: z.number().min(0).max(10).default(0.8).describe("temperature after coolingSteps steps"),
  coolingSteps: z.int().min(0).max(1000).default(0).describe("steps over which temperature moves; 0 is off"),
  weight: z
    .enum(["odds", "likelihood"])
    .default("odds")
    .describe("of a particle: r / (1 - r), as in the official code, or r, the exact filter of the model"),
  aggregation: z
    .enum(aggregations)
    .default("last")
    .describe("one reward r for a prefix from its steps' rewards; last is the reward of the whole prefix"),
  tau: z.number().min(0.001).max(1000).default(1).describe("temperature of the weights; larger is flatter"),
  clip: z.number().gt(0).max(0.4).default(1e-7).describe("rewards are kept this far from 0 and 1"),
  resampling: z.enum(resamplingSchemes).default("multinomial").describe("how survivors are drawn"),
  resampleBelow: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("resample while the effective share of particles is below this; 1 is always"),
  finished: z
    .enum(["compete", "wait"])
    .default("compete")
    .describe("weight of a particle that has ended: its last one in every round (official), or 1"),
  anneal: z
    .enum(annealingRules)
    .default("off")
    .describe("entropic annealing: flattens early, uneven weights"),
  annealBelow: z.number().min(0).max(1).default(0.5).describe("effective share below which it anneals"),
  annealEarly: z.number().min(0).max(1).default(0.5).describe("share of the horizon in which it anneals"),
  horizon: z.int().min(1).max(1000).default(40).describe("steps that annealing takes for a whole answer"),
  select: z
    .enum(["best", "sample", "vote"])
    .default("best")
    .describe(
      "the answer: the particle of the greatest last weight, one drawn by the weights, or what most say",
    ),
};

export type ParticleOptions = z.output<z.ZodObject<typeof particleOptions>>;

/** One answer in progress, with its prefixes' rewards and log-weights by step. */
export interface Particle {
  readonly node: Node;
  readonly rewards: readonly number[];
  readonly logWeights: readonly number[];
}

export interface Sweep {
  readonly references: readonly Particle[];
  /** What earlier sweeps came to: it must stay. */
  readonly found: readonly Particle[];
  readonly iteration: number;
  /** Nothing starts from the question again. */
  readonly last: boolean;
}

/** One particle filter. The references survive it unchanged; the other particles may go on from copies of them. */
export async function sweepParticles(
  search: Search,
  options: ParticleOptions,
  sweep: Sweep,
): Promise<Particle[]> {
  const { references, found, iteration, last } = sweep;
  const size = Math.max(1, options.particles - references.length);
  let free = Array.from(
    { length: size },
    (): Particle => ({ node: search.root, rewards: [], logWeights: [] }),
  );
  let carried: readonly number[] = [];
  for (let round = 1; free.some(({ node }) => !node.finish); round++) {
    free = await propagate(search, free, options, round);
    const pool = [...free, ...references.map((reference) => cut(reference, round))];
    const logWeights = pool.map(
      (particle, index) => (carried[index] ?? 0) + weightAt(particle, round, options),
    );
    const law = lawOf(logWeights, round, options);
    const isDiverse = effectiveSampleSize(law) >= options.resampleBelow * law.length;
    // At 1 even equal weights are redrawn, as in the official code.
    carried = options.resampleBelow < 1 && isDiverse ? logWeights : [];
    if (carried.length === 0) {
      const uniform = (slot: number) => search.uniform(search.root, `resample:${iteration}.${round}`, slot);
      free = resample(options.resampling, law, size, uniform).map((index) => pool[index]!);
      const needed = nodesOf([...free, ...references, ...found]);
      keepOnly(search, nodesOf(pool), needed);
      if (last) search.commit(commonAncestor(needed));
    }
    offerBest(
      search,
      free.map(({ node, rewards }) => ({ node, merit: aggregate(options.aggregation, rewards) })),
    );
  }
  return [...free, ...references];
}

function nodesOf(particles: readonly Particle[]): Node[] {
  return particles.map(({ node }) => node);
}

/** How probable each particle is when they are redrawn. */
function lawOf(logWeights: readonly number[], round: number, options: ParticleOptions): number[] {
  const { tau, horizon, anneal: rule, annealBelow: below, annealEarly: early } = options;
  const law = softmax(logWeights.map((weight) => weight / tau));
  const heat = annealedTemperature(law, round / horizon, { rule, below, early });
  return heat === 1 ? law : softmax(logWeights.map((weight) => weight / (tau * heat)));
}

/** Every particle that goes on gets one more step, and every prefix its reward. */
async function propagate(
  search: Search,
  particles: readonly Particle[],
  options: ParticleOptions,
  round: number,
): Promise<Particle[]> {
  const { sampleTemperature: from, endTemperature: to, coolingSteps } = options;
  const moved = coolingSteps === 0 ? 0 : Math.min(1, (round - 1) / coolingSteps);
  const sampling = { temperature: from + (to - from) * moved };
  const going = particles.filter(({ node }) => !node.finish);
  const nodes = await search.extendAll(going.map(({ node }) => ({ node, role: "draft", sampling })));
  const scores = await search.scoreAll(nodes);
  const next = going.map(({ rewards, logWeights }, index): Particle => {
    const extended = [...rewards, scores[index]!];
    const r = Math.min(1 - options.clip, Math.max(options.clip, aggregate(options.aggregation, extended)));
    const weight = options.weight === "odds" ? Math.log(r / (1 - r)) : Math.log(r);
    return { node: nodes[index]!, rewards: extended, logWeights: [...logWeights, weight] };
  });
  return particles.map((particle) => (particle.node.finish ? particle : next.shift()!));
}

/** The reference as it was after this round: what others may go on from. */
function cut(reference: Particle, round: number): Particle {
  let { node } = reference;
  while (node.depth > round) node = node.parent!;
  return {
    node,
    rewards: reference.rewards.slice(0, round),
    logWeights: reference.logWeights.slice(0, round),
  };
}

function weightAt(particle: Particle, round: number, options: ParticleOptions): number {
  const ended = particle.logWeights.length < round;
  return ended && options.finished === "wait" ? 0 : lastWeight(particle);
}

export function lastWeight({ logWeights }: Particle): number {
  return logWeights.at(-1)!;
}

export async function chooseParticle(
  search: Search,
  particles: readonly Particle[],
  options: ParticleOptions,
): Promise<Node> {
  // An answer that was cut short is chosen only where there is no other.
  const whole = particles.filter(({ node }) => node.finish === "stop");
  const candidates = whole.length > 0 ? whole : particles;
  const weights = candidates.map(lastWeight);
  const best = candidates[weights.indexOf(Math.max(...weights))]!.node;
  if (options.select === "best") return best;
  if (options.select === "sample") {
    return candidates[drawIndex(softmax(weights), search.uniform(search.root, "select"))]!.node;
  }
  // They were redrawn by their weights, so heads are counted.
  const [elected] = await groupByAnswer(search, nodesOf(candidates));
  return elected?.nodes[0] ?? best;
}
