import { z } from "zod";
import { ResidualLaw } from "../core/residual-law.js";
import { probabilityOf, type SparseLaw } from "../core/sparse-law.js";
import { defineRule, type Place } from "../core/speculation.js";
import { pipeline, refuseProposal, type Tested } from "./shared/pipeline.js";

export default defineRule({
  name: "k-seq",
  essence:
    "accept the first of k equal draws with p / (rho q), rho as small as the residual allows (optimal transport)",
  source: "Sun et al. 2023 (SpecTr); card spectr",
  lossless: true,
  proposals: ["independent"],
  schema: z.object({}),
  open: () => pipeline({ test: testSequentially }),
});

/** Acceptance of one draw and of k draws at a division factor rho. */
interface Acceptance {
  /** Sum over tokens of min(q, p/rho). */
  readonly one: number;
  readonly any: number;
}

function testSequentially(place: Place): Tested {
  const law = commonLaw(place);
  const target = ResidualLaw.ofRow(place.row, place.asked);
  const targets = law.tokens.map((token) => target.probability(token));
  const rho = divisionFactor(targets, law.probabilities, place.children.length);
  for (const [index, child] of place.children.entries()) {
    const chance = rho * probabilityOf(child.token, law);
    if (place.uniform(`accept:${index}`) * chance < target.probability(child.token))
      return { accepted: child };
  }
  const { one, any } = acceptance(targets, law.probabilities, place.children.length, rho);
  const share = one > 0 ? any / one : 0;
  const left = target.map((token, p) => p - Math.min(probabilityOf(token, law), p / rho) * share);
  return { instead: left.write(place.row, place.uniform("recover")) };
}

/** The one law that all drafts of the place were drawn from. */
function commonLaw({ children }: Place): SparseLaw {
  const first = children[0]!.proposal;
  for (const child of children) {
    const { proposal } = child;
    if (proposal.kind !== "independent" || first.kind !== "independent" || proposal.law !== first.law) {
      return refuseProposal(
        "k-seq",
        child,
        "it is for independent draws from one law; use the rule recursive",
      );
    }
  }
  return (first as { readonly law: SparseLaw }).law;
}

/**
 * The least valid factor in [1, k]: the root of acceptance(rho).any = rho x acceptance(rho).one, rounded up, because a
 * smaller factor would leave a negative residual.
 */
export function divisionFactor(target: readonly number[], draft: readonly number[], draws: number): number {
  const isValid = (rho: number) => {
    const { one, any } = acceptance(target, draft, draws, rho);
    // Equal laws must need no division, though their sums differ in the last bits.
    return any <= rho * one + 1e-12;
  };
  let [low, high] = [1, draws];
  if (isValid(low)) return low;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (isValid(middle)) high = middle;
    else low = middle;
  }
  return high;
}

export function acceptance(
  target: readonly number[],
  draft: readonly number[],
  draws: number,
  rho: number,
): Acceptance {
  const one = draft.reduce((sum, q, index) => sum + Math.min(q, target[index]! / rho), 0);
  return { one, any: 1 - (1 - Math.min(1, one)) ** draws };
}
