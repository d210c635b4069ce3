import { z } from "zod";
import type { Candidate } from "../core/model.js";
import { type Child, defineRule, type OpenRule, type Place } from "../core/speculation.js";
import { PairCounts } from "./shared/pair-counts.js";
import { pipeline } from "./shared/pipeline.js";

const schema = z.object({
  table: z
    .string()
    .default("{}")
    .describe(
      "counts of a calibration, as its JSON text; without one nothing is rescued unless online counts",
    ),
  minimum: z
    .number()
    .min(0)
    .default(6)
    .describe("a pair is rescued above this many counts; grows with the texts counted; 1e9 is off"),
  ratio: z
    .number()
    .gt(0)
    .max(2)
    .default(0.01)
    .describe("least probability of the draft's token as a share of the target's own; above 1 is off"),
  online: z
    .boolean()
    .default(false)
    .describe("count while decoding too; a run then depends on which of its branches went first"),
});

export default defineRule({
  name: "calibrated-rescue",
  essence:
    "a refused draft is kept where this pair of tokens is a frequent disagreement and the target finds it fair",
  source:
    "Zhou et al. 2026 (CSD); card csd; above temperature 0 the pair is of draft and corrected token, our reading",
  lossless: false,
  proposals: ["point", "independent", "without-replacement"],
  schema,
  open: ({ table, ...options }) => openRescue(PairCounts.fromText(table), options),
});

/** The rule over counts that the caller keeps, to calibrate them: `online` with a `minimum` that nothing reaches. */
export function openRescue(
  counts: PairCounts,
  { minimum, ratio, online }: Pick<z.output<typeof schema>, "minimum" | "ratio" | "online">,
): OpenRule {
  return pipeline({
    rescue(place, instead) {
      if (online) for (const token of draftedTokens(place)) counts.add(token, instead.token);
      return place.children.find((child) => isFair(place, child, instead)) ?? null;
    },
  });

  function isFair({ row, asked }: Place, { token }: Child, instead: Candidate): boolean {
    // The gate is that of the untempered law: it does not move with the request's temperature.
    const margin = row.logprobs[asked.indexOf(token)]! - instead.logprob;
    return counts.count(token, instead.token) > minimum && margin >= Math.log(ratio);
  }
}

const draftedTokens = ({ children }: Place) => new Set(children.map(({ token }) => token));
