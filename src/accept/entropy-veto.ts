import { z } from "zod";
import type { Candidate } from "../core/model.js";
import { ResidualLaw } from "../core/residual-law.js";
import { type Child, defineRule, type Place } from "../core/speculation.js";
import { pipeline, type Tested } from "./shared/pipeline.js";
import { testInOrder } from "./shared/test-in-order.js";

const schema = z.object({
  top: z
    .int()
    .min(1)
    .max(64)
    .default(10)
    .describe("length of the two lists of most probable tokens that are compared"),
  overlap: z
    .number()
    .min(0)
    .max(2)
    .default(0.8)
    .describe("share of the lists that both must hold for a veto; above 1 is off"),
  targetEntropy: z
    .number()
    .min(0)
    .default(2)
    .describe("nats of the target's entropy for a veto; belongs to the model pair: take a high quantile"),
  draftEntropy: z.number().min(0).default(2).describe("nats of the draft's entropy for a veto; likewise"),
  keep: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("what a veto leaves of the token's probability; 1 is off"),
  ratioTest: z
    .boolean()
    .default(true)
    .describe("test drafts as the rule recursive does first; false: the veto alone decides"),
});

type Options = z.output<typeof schema>;

export default defineRule({
  name: "entropy-veto",
  essence: "an accepted draft is thrown away where draft and target are both unsure about the same tokens",
  source: "Su et al. 2025 (EASD); card easd; entropies and lists of the untempered laws",
  lossless: false,
  proposals: ["point", "independent", "without-replacement"],
  schema,
  open: (options) =>
    pipeline({
      topK: options.top,
      test: options.ratioTest ? testInOrder : acceptFirst,
      veto: (place, accepted) =>
        isUnsure(place, accepted, options) ? writeOther(place, accepted, options) : null,
    }),
});

const acceptFirst = ({ children }: Place): Tested => ({ accepted: children[0]! });

/** A draft that no model made has no law to compare, and is never thrown away. */
function isUnsure({ row }: Place, { row: draft }: Child, options: Options): boolean {
  if (!draft || row.entropy < options.targetEntropy || draft.entropy < options.draftEntropy) return false;
  const drafted = new Set(draft.topK.slice(0, options.top).map(({ token }) => token));
  const common = row.topK!.slice(0, options.top).filter(({ token }) => drafted.has(token)).length;
  return common / options.top >= options.overlap;
}

/** From the target's law with less of the token; null where there is nothing else or nothing less. */
function writeOther(place: Place, { token }: Child, { keep }: Options): Candidate | null {
  if (keep === 1) return null;
  const { row, asked, sampling } = place;
  // Greedy decoding has no law without its one token: the next best one is meant.
  if (sampling.temperature === 0) return row.topK!.find((candidate) => candidate.token !== token) ?? null;
  const law = ResidualLaw.ofRow(row, asked);
  if (law.probability(token) >= 1) return null;
  const less = law.map((other, mass) => (other === token ? keep * mass : mass));
  return less.write(row, place.uniform("veto"));
}
