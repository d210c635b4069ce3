/** A head on the token statistics of a step, calibrated for one model's steps and refused on another's. */
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { TokenFigures } from "./certainty.js";
import { createHead, headTensorNames } from "./head.js";
import type { RewardContext } from "./kind.js";
import { type StepStatistic, statisticsOf, stepStatisticNames } from "./step-statistics.js";

export interface StatisticsHead {
  /** In [0, 1]: the chance that the step is right, as far as its head was told. */
  apply(figures: TokenFigures): Promise<number>;
}

/** Keys of the file's own facts (safetensors: `__metadata__`). */
export const headFact = { statistics: "statistics", fingerprint: "model-fingerprint" } as const;

/** Throws `reward-invalid`: no head of this kind, or one that was calibrated for another model. */
export async function openStatisticsHead(
  reference: string,
  writer: Pick<Model, "name" | "fingerprint">,
  context: RewardContext,
): Promise<StatisticsHead> {
  const facts = await context.loadHeadFacts(reference);
  const names = facts.get(headFact.statistics)?.split(",") ?? [];
  const unknown = names.find((name) => !(stepStatisticNames as string[]).includes(name));
  if (names.length === 0 || unknown !== undefined) {
    const problem = unknown === undefined ? "does not name its statistics" : `asks for "${unknown}"`;
    throw invalid(reference, problem, `a head of this kind names some of ${stepStatisticNames.join(", ")}`);
  }
  if (facts.get(headFact.fingerprint) !== writer.fingerprint) {
    throw invalid(
      reference,
      `was calibrated for another model than ${writer.name}`,
      "use the model that it was made with, or confidence without a head",
    );
  }
  const head = createHead(await context.loadHead(reference, headTensorNames), reference);
  if (head.inputs !== names.length) {
    throw invalid(reference, `names ${names.length} statistics for a head of ${head.inputs}`);
  }
  return { apply: (figures) => head.apply(statisticsOf(names as StepStatistic[], figures)) };
}

function invalid(subject: string, problem: string, remedy?: string): StepwrightError {
  return new StepwrightError("reward-invalid", `${subject} ${problem}`, {
    subject,
    ...(remedy === undefined ? {} : { remedy }),
  });
}
