/**
 * Rejection sampling over the drafts of one place, in the order they were drawn: each draft is tested against what the
 * earlier ones left of the target's law. Exact for drafts of any kind side by side, because each is tested by the law
 * that it had given the drafts before it. Cards speculative-sampling, A, C and D; recursive-speculative-decoding.
 */
import { StepwrightError } from "../../core/errors.js";
import { ResidualLaw } from "../../core/residual-law.js";
import { lawWithout, probabilityOf, type SparseLaw } from "../../core/sparse-law.js";
import type { Child, Place } from "../../core/speculation.js";
import type { Token } from "../../core/step.js";
import type { Tested } from "./pipeline.js";

export function testInOrder(place: Place): Tested {
  const drawn = new Map<SparseLaw, Set<Token>>();
  let left = ResidualLaw.ofRow(place.row, place.asked);
  for (const [index, child] of place.children.entries()) {
    const { token } = child;
    const law = lawGiven(drawn, child);
    const chance = law ? probabilityOf(token, law) : 1;
    if (!(chance > 0)) {
      throw new StepwrightError("internal", `a drafter drew token ${token}, which its law does not give`);
    }
    if (place.uniform(`accept:${index}`) * chance < left.probability(token)) return { accepted: child };
    left = law ? left.minus(law) : left.without(token);
  }
  return { instead: left.write(place.row, place.uniform("recover")) };
}

/** The law of a draft given the siblings drawn before it; null where it is no draw. */
function lawGiven(drawn: Map<SparseLaw, Set<Token>>, { token, proposal }: Child): SparseLaw | null {
  if (proposal.kind === "point") return null;
  if (proposal.kind === "independent") return proposal.law;
  const taken = drawn.get(proposal.law) ?? new Set();
  drawn.set(proposal.law, taken);
  const law = lawWithout(proposal.law, taken);
  taken.add(token);
  return law ?? { tokens: [], probabilities: [] };
}
