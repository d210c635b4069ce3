/** Whether two models' ids mean the same: a draft in other ids would be verified as nonsense. */
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";

/** As many as fit into one message to the engine without holding it up. */
const stretch = 4096;
const mostNamed = 3;

/** Throws `vocabulary-mismatch` with the first ids that differ. */
export async function checkSameVocabulary(draft: Model, target: Model): Promise<void> {
  if (draft.vocabulary === target.vocabulary) return;
  const differing = await differingIds(draft, target);
  const named = differing.map(({ id, ours, theirs }) => `${id} is ${ours} and ${theirs}`).join("; ");
  const sizes = `${draft.size.vocabulary} and ${target.size.vocabulary} ids`;
  throw new StepwrightError(
    "vocabulary-mismatch",
    `${draft.name} cannot draft for ${target.name}: their tokenizers differ (${sizes}${named ? `; ${named}` : ""})`,
    {
      subject: "draft",
      remedy: "draft with a model of the same family, or from the text itself: --speculate lookup",
    },
  );
}

interface Difference {
  readonly id: number;
  readonly ours: string;
  readonly theirs: string;
}

async function differingIds(draft: Model, target: Model): Promise<Difference[]> {
  if (!draft.tokenBytes || !target.tokenBytes) return [];
  const found: Difference[] = [];
  const both = Math.min(draft.size.vocabulary, target.size.vocabulary);
  for (let start = 0; start < both && found.length < mostNamed; start += stretch) {
    const ids = Array.from({ length: Math.min(stretch, both - start) }, (_, index) => start + index);
    const [ours, theirs] = await Promise.all([draft.tokenBytes(ids), target.tokenBytes(ids)]);
    for (const [index, id] of ids.entries()) {
      if (Buffer.compare(ours[index]!, theirs[index]!) === 0 || found.length >= mostNamed) continue;
      found.push({ id, ours: shown(ours[index]!), theirs: shown(theirs[index]!) });
    }
  }
  return found;
}

function shown(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes).toString("utf8"));
}
