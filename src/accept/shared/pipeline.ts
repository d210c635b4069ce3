/**
 * What every acceptance rule is made of, in this order: the target's law as it is or changed, the test of the drafts, a
 * rescue of what the test refused, a veto of what it let pass. A stage that is off is absent: then nothing is computed
 * or drawn for it. DESIGN section 5.
 */
import { StepwrightError } from "../../core/errors.js";
import type { Candidate } from "../../core/model.js";
import type { Child, Decision, OpenRule, Place, Review } from "../../core/speculation.js";
import { testInOrder } from "./test-in-order.js";

/** What the test says of a place: one of the drafts, or the target's own token instead. */
export type Tested = { readonly accepted: Child } | { readonly instead: Candidate };

export interface Stages {
  /** The target's most probable tokens that a stage wants with each row. Default 0. */
  readonly topK?: number;
  readonly review?: Review;
  /** The place with another law in the target's stead. */
  readonly law?: (place: Place) => Place;
  /** Default: rejection sampling over the drafts in their order. */
  readonly test?: (place: Place) => Tested;
  /** A refused draft to go on with all the same, or null. */
  readonly rescue?: (place: Place, instead: Candidate) => Child | null;
  /** The token to write in place of an accepted draft, or null. */
  readonly veto?: (place: Place, accepted: Child) => Candidate | null;
}

export function pipeline(stages: Stages): OpenRule {
  const { topK = 0, review, law, test = testInOrder, rescue, veto } = stages;
  const settle = (place: Place, kept: Child): Decision => {
    const write = veto?.(place, kept);
    return write ? { write } : { child: kept.node };
  };
  return {
    topK,
    ...(review && { review }),
    decide(given) {
      const place = law ? law(given) : given;
      const tested = test(place);
      if ("accepted" in tested) return settle(place, tested.accepted);
      const rescued = rescue?.(place, tested.instead);
      return rescued ? settle(place, rescued) : { write: tested.instead };
    },
  };
}

/** Refuses drafts that a rule is not exact for, rather than write another law than it says. */
export function refuseProposal(rule: string, { proposal }: Child, remedy: string): never {
  throw new StepwrightError(
    "invalid-option",
    `the acceptance rule ${rule} cannot test a draft of the kind ${proposal.kind}`,
    { subject: "rule", remedy },
  );
}
