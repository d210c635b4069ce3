import { z } from "zod";
import {
  bestTries,
  ceiling,
  estimateVerifier,
  resampling,
  type VerifierEstimate,
} from "../../bench/analysis/ceiling.js";
import { percent } from "../../bench/figures-text.js";
import type { BenchResult } from "../../bench/result.js";
import { StepwrightError } from "../../core/errors.js";
import { aggregate, aggregations } from "../../core/reward.js";
import { benchOperand, printTable } from "../analysis.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";

export default defineCommand({
  operands: "DIR",
  operandLimit: 1,
  description:
    'What "sample until the reward accepts" can reach with a reward that errs: an answer is accepted where its steps\' rewards, aggregated, reach the threshold. For every threshold and every cost of a wrong answer: the share right as tries go on without end, and the number of tries that is worth the most. It treats samples as independent.',
  examples: [
    "stepwright analyze ceiling runs/pair",
    "stepwright analyze ceiling runs/pair --thresholds 0.5,0.9 --costs 0,1,4",
  ],
  schema: z.object({
    thresholds: numbers("0.3,0.5,0.7,0.9", "Aggregated rewards from which on an answer is accepted."),
    costs: numbers("0,1,4", "What a wrong accepted answer costs, against a right one's worth of 1."),
    tryCost: z.number().min(0).default(0).describe("What one try costs, in the same unit."),
    aggregation: z.enum(aggregations).default("min").describe("How an answer's step rewards become one."),
    json: jsonField,
  }),
  async run(context, { json, thresholds, costs, tryCost, aggregation }, operands) {
    const folder = await benchOperand(context, operands);
    const scored = [...folder.byLabel].filter(([, questions]) => questions.flat().some(hasRewards));
    if (scored.length === 0) {
      throw new StepwrightError("invalid-option", `${folder.path} holds no answers with rewards`, {
        subject: folder.path,
        remedy: "run a method that scores steps, such as rsd",
      });
    }
    const found = scored.flatMap(([label, questions]) =>
      thresholds.flatMap((threshold) => {
        const verified = questions.map((own) =>
          own.filter(hasRewards).map((result) => ({
            right: result.correct,
            accepted: aggregate(aggregation, rewardsOf(result)) >= threshold,
          })),
        );
        const verifier = estimateVerifier(verified.filter((own) => own.length > 0));
        return verifier ? [{ label, threshold, ...outlook(verifier, costs, tryCost) }] : [];
      }),
    );
    if (found.length === 0) {
      throw new StepwrightError(
        "invalid-option",
        "a verifier shows only on answers of which some are right and some wrong",
        {
          subject: folder.path,
          remedy: "run the bench on more questions",
        },
      );
    }
    if (json) context.printJson({ aggregation, tryCost, verifiers: found });
    else {
      printTable(
        context,
        [
          "method",
          "threshold",
          "accepts right",
          "rejects wrong",
          "one sample",
          "one accepted",
          "ceiling",
          ...costs.map((cost) => `best tries at cost ${cost}`),
        ],
        found.map((row) => [
          row.label,
          String(row.threshold),
          ...[row.completeness, row.soundness, row.oneSample, row.oneTry, row.ceiling].map(percent),
          ...row.best.map(({ tries, value }) =>
            tries === null ? "without end" : `${tries} (worth ${value.toFixed(3)})`,
          ),
        ]),
      );
      context.say(
        "The samples are the method's own answers, after it has chosen among its steps; those of a plain model would be others.",
      );
    }
    return 0;
  },
});

function outlook(verifier: VerifierEstimate, costs: readonly number[], perTry: number) {
  const { kinds, completeness, soundness } = verifier;
  return {
    completeness,
    soundness,
    kinds,
    oneSample: kinds.reduce((sum, { prior, accuracy }) => sum + prior * accuracy, 0),
    oneTry: resampling(kinds, verifier, 1).right,
    ceiling: ceiling(kinds, verifier),
    best: costs.map((cost) => ({ cost, ...bestTries(kinds, verifier, { right: 1, wrong: -cost, perTry }) })),
  };
}

function rewardsOf({ steps }: BenchResult): number[] {
  return steps.flatMap(({ reward }) => reward ?? []);
}

function hasRewards(result: BenchResult): boolean {
  return rewardsOf(result).length > 0;
}

function numbers(initial: string, description: string) {
  return z
    .string()
    .default(initial)
    .describe(description)
    .meta({ placeholder: "A,B,..." })
    .transform((text, context) => {
      const values = text.split(",").map(Number);
      if (text.trim() !== "" && values.every((value) => Number.isFinite(value) && value >= 0)) return values;
      context.issues.push({
        code: "custom",
        message: `"${text}" is no list of numbers from 0 on`,
        input: text,
      });
      return z.NEVER;
    });
}
