import { z } from "zod";
import type { TreeRow } from "../core/model.js";
import { pick, probabilityOf, processed } from "../core/sparse-law.js";
import { defineRule, type Place } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { pipeline } from "./shared/pipeline.js";

const schema = z.object({
  alpha: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.3)
    .describe(
      "weight of the law after reading its own draft; 0 is off; the paper's value is not known to us",
    ),
  prompt: z
    .string()
    .min(1)
    .max(400)
    .default("\n\nLook back at the text above, correct any mistake in it, and continue:\n\n")
    .describe("what stands between the draft and its second copy"),
  suffix: z
    .int()
    .min(1)
    .max(32)
    .default(8)
    .describe("tokens of the text so far that lead into the second copy"),
  head: z
    .int()
    .min(1)
    .max(256)
    .default(64)
    .describe("most probable tokens that are mixed; others cannot be written"),
});

export default defineRule({
  name: "reflective",
  essence:
    "test drafts against the target's law mixed with its law after it has read the draft and a call to review it",
  source:
    "Wang et al. 2025 (reflective verification); card reflective-verification, its full reading; chains only",
  lossless: false,
  proposals: ["point", "independent", "without-replacement"],
  schema,
  open: ({ alpha, prompt, suffix, head }) =>
    alpha === 0
      ? pipeline({})
      : pipeline({ topK: head, review: { prompt, suffix }, law: (place) => mixed(place, { alpha, head }) }),
});

/** The place with the mixed law in the target's stead, on the tokens that it was asked for and its most probable ones. */
function mixed(place: Place, { alpha, head }: { readonly alpha: number; readonly head: number }): Place {
  const { row, review, sampling } = place;
  if (!review) return place;
  const first = logprobs(row, place.asked, head);
  const second = logprobs(review, place.asked, head);
  // What the second list does not tell is at most as likely as the last that it does.
  const floor = Math.min(...review.topK!.slice(0, head).map(({ logprob }) => logprob));
  const asked = [...first.keys()].sort((a, b) => a - b);
  const mixedLogs = asked.map(
    (token) => (1 - alpha) * first.get(token)! + alpha * (second.get(token) ?? floor),
  );
  const most = Math.max(...mixedLogs);
  const masses = mixedLogs.map((logprob) => Math.exp(logprob - most));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const law = processed({ tokens: asked, probabilities: masses.map((mass) => mass / total) }, sampling);
  const token = pick(law, place.uniform("sample"));
  return {
    ...place,
    asked,
    row: {
      ...row,
      draw: { token, logprob: first.get(token)! },
      probabilities: asked.map((token) => probabilityOf(token, law)),
      logprobs: asked.map((token) => first.get(token)!),
      outside: null,
    },
  };
}

/** Of the asked tokens and the most probable ones. */
function logprobs(row: TreeRow, asked: readonly Token[], head: number): Map<Token, number> {
  const told = new Map(row.topK!.slice(0, head).map(({ token, logprob }) => [token, logprob]));
  for (const [index, token] of asked.entries()) told.set(token, row.logprobs[index]!);
  return told;
}
