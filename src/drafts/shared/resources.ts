/** What a drafter may take for granted once it is open. */
import { StepwrightError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import type { DraftResources } from "../../core/speculation.js";

/** Throws `missing-role` where the pair has no draft model, and what `checkedReader` throws. */
export function neededDraft({ target, draft }: DraftResources, drafter: string): Model {
  if (!draft) {
    throw new StepwrightError("missing-role", `the drafter "${drafter}" needs a draft model`, {
      subject: "draft",
      remedy: "name one, or use a drafter that needs none: lookup, suffix, recycling",
    });
  }
  return checkedReader(draft, target, drafter);
}

/** Throws `vocabulary-mismatch` or `missing-capability` where the model cannot draft in the target's ids. */
export function checkedReader(model: Model, target: Model, drafter: string): Model {
  if (model.vocabulary !== target.vocabulary) {
    throw new StepwrightError(
      "vocabulary-mismatch",
      `${model.name} cannot draft tokens of ${target.name}: their tokenizers differ`,
      { subject: "draft", remedy: "choose a draft of the target's family" },
    );
  }
  for (const capability of ["logits", "branch"] as const) {
    if (model.capabilities.has(capability)) continue;
    throw new StepwrightError(
      "missing-capability",
      `the drafter "${drafter}" needs ${capability} of ${model.name}, which does not offer them`,
      { subject: "draft", remedy: "use a local model" },
    );
  }
  return model;
}
