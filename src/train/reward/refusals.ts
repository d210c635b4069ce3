/** What can be found wrong with a training before, or soon after, its long work begins. */
import { StepwrightError } from "../../core/errors.js";
import { type Capability, type Model, offers } from "../../core/model.js";
import { refuseMute } from "../../rewards/judge.js";
import { needsOf } from "../../rewards/readings/features.js";
import type { ReaderRole } from "../../rewards/readings/readings.js";
import type { AnswerRecord } from "./answers.js";
import type { RewardTraining } from "./training.js";

/** Throws `missing-role`: a rule asks for the target's own steps. */
export function refuseRuleWithoutTarget({ threshold: { rule }, target }: RewardTraining): void {
  if (rule === "budget" || target !== undefined) return;
  throw new StepwrightError("missing-role", `the rule ${rule} asks for the target's own steps`, {
    subject: "target",
    remedy: "name the target, or take --rule budget",
  });
}

/** Throws `missing-role`, `missing-capability` or `reward-invalid`: a head would look at what nobody can show. */
export async function refuseUnreadable(
  work: Pick<RewardTraining, "draft" | "target" | "features">,
): Promise<void> {
  for (const { name, features } of work.features) {
    const { likelihoods, typicals, states, judges } = needsOf(features);
    for (const role of [...likelihoods, ...typicals]) requireReader(work, name, role, "likelihood");
    for (const role of states) requireReader(work, name, role, "hidden");
    for (const role of judges) await refuseMute(requireReader(work, name, role, "candidates"));
  }
}

function requireReader(
  models: Partial<Record<ReaderRole, Model | undefined>>,
  features: string,
  role: ReaderRole,
  capability: Capability,
): Model {
  const model = models[role];
  if (!model) {
    throw new StepwrightError("missing-role", `heads on ${features} look at the ${role}, and none is named`, {
      subject: role,
      remedy: `name one: --${role}; or choose other --features`,
    });
  }
  if (offers(model, capability)) return model;
  throw new StepwrightError(
    "missing-capability",
    `heads on ${features} need ${capability} of ${model.name}`,
    { subject: model.name, remedy: "use a local GGUF model, or choose other --features" },
  );
}

/**
 * A head that says the same of everything says nothing, and one question's answers are no two folds. Throws `task-invalid`
 * unless answers to several questions are right and answers to several are wrong.
 */
export function refuseOneKind(answers: readonly AnswerRecord[]): void {
  for (const wanted of [true, false]) {
    const own = answers.filter(({ right }) => right === wanted);
    if (new Set(own.map(({ question }) => question)).size > 1) continue;
    const [missing, usual] = wanted ? ["right", "wrong"] : ["wrong", "right"];
    const found =
      own.length === 0
        ? `all ${answers.length} training answers are ${usual}`
        : `of ${answers.length} training answers, only those to one question are ${missing}`;
    throw new StepwrightError("task-invalid", found, {
      subject: "--task",
      remedy: wanted
        ? "give easier or more questions, or check that the answers are graded as you mean: see docs/grading.md"
        : "give harder or more questions, or sample more answers: --samples 4 --temperature 1",
    });
  }
}

/** Throws `checkpoint-invalid`: the steps are in the tokens of another model. */
export function refuseOtherWriter(
  folder: string,
  draft: Pick<Model, "name" | "vocabulary">,
  answers: readonly AnswerRecord[],
): void {
  if (answers.every(({ steps }) => steps.every(({ vocabulary }) => vocabulary === draft.vocabulary))) return;
  throw new StepwrightError("checkpoint-invalid", `the answers in ${folder} are not of ${draft.name}`, {
    subject: folder,
    remedy: "name the model that wrote them as --draft, or choose another folder: --work DIR",
  });
}
