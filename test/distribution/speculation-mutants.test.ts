/** The exact law is held against rules that are almost right: each must be seen. Card speculative-sampling. */
import { describe, expect, test } from "vitest";
import recursive from "../../src/accept/recursive.js";
import { DraftTree, pointProposal, root } from "../../src/core/draft-tree.js";
import { ResidualLaw } from "../../src/core/residual-law.js";
import { probabilityOf, processed, type SparseLaw } from "../../src/core/sparse-law.js";
import type { Child, OpenRule, Place } from "../../src/core/speculation.js";
import {
  plainLaw,
  type SpeculationCase,
  speculatedLaw,
  type ToyDrafter,
  totalVariation,
} from "../../src/testing/index.js";
import { distinctTree, independentTree, orderTwo, warm } from "./toy-laws.js";

const target = orderTwo(1, 5);
const draft = orderTwo(2, 5);
const cut = { ...warm, topP: 0.7 };

const honest = recursive.open({});
const lawOf = ({ proposal }: Child) => (proposal as { law: SparseLaw }).law;

/** A rule that tests each draft by a ratio and writes a token of its own from a law. */
const rule = (
  passes: (place: Place, child: Child, left: ResidualLaw, coin: number) => boolean,
  residual: (left: ResidualLaw, child: Child, place: Place) => ResidualLaw,
): OpenRule => ({
  topK: 0,
  decide(place) {
    let left = ResidualLaw.ofRow(place.row, place.asked);
    for (const [index, child] of place.children.entries()) {
      if (passes(place, child, left, place.uniform(`accept:${index}`))) return { child: child.node };
      left = residual(left, child, place);
    }
    return { write: left.write(place.row, place.uniform("recover")) };
  },
});
const ratio = (_: Place, child: Child, left: ResidualLaw, coin: number) =>
  coin * probabilityOf(child.token, lawOf(child)) < left.probability(child.token);
const subtract = (left: ResidualLaw, child: Child) => left.minus(lawOf(child));

const chain = independentTree(draft);
const pair = independentTree(draft, { width: 2, depth: 1 });

/** Tells the draft's whole law for a draw from the truncated one. */
const untruncated: ToyDrafter = (tokens, draw, sampling) => {
  const tree = new DraftTree();
  const law = draft(tokens);
  const token = draw(processed(law, sampling), "x");
  tree.add({ token, parent: root, proposal: { kind: "independent", law }, origin: "toy" });
  return tree;
};

/** A honest draw, kept only where its token is not 1. */
const choosy: ToyDrafter = (tokens, draw) => {
  const tree = new DraftTree();
  const law = draft(tokens);
  const token = draw(law, "x");
  if (token !== 1) tree.add({ token, parent: root, proposal: { kind: "independent", law }, origin: "toy" });
  return tree;
};

/** A draw behind a fixed draft, silently dropped where it is the same token. */
const dropsDuplicates: ToyDrafter = (tokens, draw) => {
  const tree = new DraftTree();
  const law = draft(tokens);
  const fixed = law.tokens[0]!;
  tree.add({ token: fixed, parent: root, proposal: pointProposal, origin: "toy" });
  const token = draw(law, "x");
  if (token !== fixed)
    tree.add({ token, parent: root, proposal: { kind: "independent", law }, origin: "toy" });
  return tree;
};

/** Different draws that claim to be independent. */
const mislabelled: ToyDrafter = (tokens, draw, sampling) => {
  const tree = new DraftTree();
  for (const node of distinctTree(draft, { depth: 1 })(tokens, draw, sampling).nodes) {
    tree.add({ ...node, proposal: { kind: "independent", law: lawOf({ node: 0, ...node }) } });
  }
  return tree;
};

/** Fresh draws, in the order of their ids rather than in which they came. */
const sorted: ToyDrafter = (tokens, draw, sampling) => {
  const tree = new DraftTree();
  const { nodes } = distinctTree(draft, { depth: 1 })(tokens, draw, sampling);
  for (const node of [...nodes].sort((a, b) => a.token - b.token)) tree.add(node);
  return tree;
};

const mutants: Record<string, Pick<SpeculationCase, "rule" | "drafter"> & Partial<SpeculationCase>> = {
  "writes from p where it should write from the residual": {
    rule: rule(ratio, (left) => left),
    drafter: chain,
  },
  "writes from |p - q|, the residual not clipped": {
    rule: rule(ratio, (left, child) =>
      left.map((token, p) => Math.abs(p - probabilityOf(token, lawOf(child)))),
    ),
    drafter: chain,
  },
  "keeps the first draft unchecked": {
    rule: {
      topK: 0,
      decide: (place) =>
        place.children[0]!.node === 0 ? { child: place.children[0]!.node } : honest.decide(place),
    },
    drafter: chain,
  },
  "accepts where p is not below q": {
    rule: rule(
      (_, child, left) => left.probability(child.token) >= probabilityOf(child.token, lawOf(child)),
      subtract,
    ),
    drafter: chain,
  },
  "tests q before truncation": { rule: honest, drafter: untruncated, sampling: cut },
  "drafts from a sharper law than it tests": {
    rule: honest,
    drafter: (tokens, draw, sampling) =>
      independentTree((context) => draft(context), { depth: 1 })(
        tokens,
        (law, purpose) => draw(processed(law, { ...warm, temperature: 0.5 }), purpose),
        sampling,
      ),
  },
  "drops a draft after looking at its token": { rule: honest, drafter: choosy },
  "drops a draw that equals a fixed draft": { rule: honest, drafter: dropsDuplicates },
  "tries two drafts independently and then takes the residual of one": {
    rule: rule(
      (place, child, _, coin) =>
        coin * probabilityOf(child.token, lawOf(child)) <
        ResidualLaw.ofRow(place.row, place.asked).probability(child.token),
      (_, child, place) => ResidualLaw.ofRow(place.row, place.asked).minus(lawOf(child)),
    ),
    drafter: pair,
  },
  "tests draws without replacement as independent ones": { rule: honest, drafter: mislabelled },
  "orders siblings by their tokens": { rule: honest, drafter: sorted },
  "uses one coin for all siblings": {
    rule: {
      topK: 0,
      decide: (place) =>
        honest.decide({ ...place, uniform: (purpose) => place.uniform(purpose.replace(/:\d+/, "")) }),
    },
    drafter: pair,
  },
  "writes from the residual with the coin that refused the draft": {
    rule: {
      topK: 0,
      decide: (place) => honest.decide({ ...place, uniform: () => place.uniform("coin") }),
    },
    drafter: chain,
  },
  "divides by less than rho": {
    rule: {
      topK: 0,
      decide(place) {
        const law = lawOf(place.children[0]!);
        const p = ResidualLaw.ofRow(place.row, place.asked);
        for (const [index, { token, node }] of place.children.entries()) {
          const chance = probabilityOf(token, law);
          if (place.uniform(`accept:${index}`) * chance < p.probability(token)) return { child: node };
        }
        return { write: p.minus(law).write(place.row, place.uniform("recover")) };
      },
    },
    drafter: pair,
  },
};

describe("the exact law sees a rule or a drafter that", () => {
  test.each(Object.entries(mutants))("%s", (_, mutant) => {
    const given = { target, sampling: warm, length: 2, ...mutant };
    expect(totalVariation(speculatedLaw(given), plainLaw(given))).toBeGreaterThan(0.01);
  });
});

test("the same harness passes the honest rule on the same drafts", () => {
  for (const drafter of [pair, distinctTree(draft, { depth: 1 })]) {
    for (const sampling of [warm, cut]) {
      const given = { target, drafter, rule: honest, sampling, length: 1 };
      expect(totalVariation(speculatedLaw(given), plainLaw(given))).toBeLessThan(1e-10);
    }
  }
});
