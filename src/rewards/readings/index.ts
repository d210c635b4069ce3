/** Opens what a head looks at: the same source for the steps that it is fitted to and for those that it scores. */
import { StepwrightError } from "../../core/errors.js";
import { type Model, offers } from "../../core/model.js";
import { judgeSchema, openJudge } from "../judge.js";
import type { CheckedReward } from "../kind.js";
import { LikelihoodChain } from "../likelihood-chain.js";
import { LikelihoodPrompt } from "../likelihood-prompt.js";
import { requireCapability } from "../model-reward.js";
import { PartsChain, QuestionParts } from "./chain.js";
import { JudgePart, LikelihoodPart, type ReadFor } from "./reading-part.js";
import { type ReaderRole, type ReadingNeeds, type ReadingSource, readerRoles } from "./readings.js";

export * from "./features.js";
export * from "./readings.js";

/**
 * The draft, where it is given, also reads steps that nobody wrote, for the figures that they lack. Throws
 * `missing-role`, `missing-capability`, or what opening a judge throws; nothing is left open then.
 */
export async function openReadings(
  needs: ReadingNeeds,
  models: Partial<Record<ReaderRole, Model>>,
): Promise<ReadingSource> {
  const readers = readerRoles.flatMap((role): (ReadFor & { readonly model: Model })[] => {
    const likelihood = needs.likelihoods.includes(role);
    const typical = needs.typicals.includes(role);
    const states = needs.states.includes(role);
    const figures = role === "draft" && models.draft !== undefined && offers(models.draft, "likelihood");
    if (!likelihood && !typical && !states && !figures) return [];
    const model = modelFor(role, models);
    if (likelihood || typical || states)
      requireCapability(model, "likelihood", `a head on ${role}'s likelihoods`);
    if (states) requireCapability(model, "hidden", `a head on ${role}'s states`);
    return [{ role, likelihood, typical, states, figures, model }];
  });
  const judges: { readonly role: ReaderRole; readonly reward: CheckedReward }[] = [];
  const dispose = async () => {
    for (const { reward } of judges) await reward[Symbol.asyncDispose]();
  };
  try {
    for (const role of needs.judges) {
      const reward = await openJudge(modelFor(role, models), judgeSchema.parse({}), `judge:${role}`);
      judges.push({ role, reward });
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    readsStatesOf: readers.filter(({ states }) => states).map(({ model }) => model),
    async open(question, { system = null } = {}) {
      const opened = await Promise.all(
        judges.map(async ({ role, reward }) => new JudgePart(role, await reward.open(question))),
      );
      const reading = readers.map(
        ({ model, ...reads }) =>
          new LikelihoodPart(new LikelihoodChain(new LikelihoodPrompt(model, question, system)), reads),
      );
      return new PartsChain(new QuestionParts([...reading, ...opened]));
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function modelFor(role: ReaderRole, models: Partial<Record<ReaderRole, Model>>): Model {
  const model = models[role];
  if (model) return model;
  throw new StepwrightError("missing-role", `the head looks at a ${role}, and none is named`, {
    subject: role,
    remedy: `name one: --${role}`,
  });
}
