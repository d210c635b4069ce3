/** How often drafts are accepted, and the closed form of a lossy law, computed exactly. */
import { describe, expect, test } from "vitest";
import { rules } from "../../src/accept/index.js";
import { type DraftRow, DraftTree, root } from "../../src/core/draft-tree.js";
import { entropyOf, type SparseLaw } from "../../src/core/sparse-law.js";
import type { OpenRule } from "../../src/core/speculation.js";
import { exactRow, mostProbable } from "../../src/models/scripted-tree.js";
import { everyCoin, everyDraw, speculatedLaw, type ToyDrafter } from "../../src/testing/index.js";
import { distinctTree, independentTree, orderTwo, warm } from "./toy-laws.js";

/** The chance that a draft behind the text so far is accepted. */
function acceptanceOf(rule: OpenRule, target: SparseLaw, drafter: ToyDrafter): number {
  let sum = 0;
  for (const { answer: tree, probability } of everyDraw((draw) => drafter([], draw, warm))) {
    const asked = tree.asked(root);
    const children = tree.children(root).map((node) => ({ node, ...tree.nodes[node]! }));
    const decided = everyCoin((uniform) => {
      const row = exactRow(target, { sampling: warm, asked, uniform });
      return "child" in rule.decide({ row, asked, children, sampling: warm, uniform }) ? "draft" : "own";
    });
    sum += probability * (decided.get("draft") ?? 0);
  }
  return sum;
}

describe("acceptance", async () => {
  const open = async (name: string) => (await rules.get(name)).open({});
  const [rejection, multiRound, recursive, kSeq] = [
    await open("rejection"),
    await open("multi-round"),
    await open("recursive"),
    await open("k-seq"),
  ];
  const pairs = Array.from({ length: 20 }, (_, seed) => ({
    target: orderTwo(100 + seed, 4)([]),
    draft: orderTwo(200 + seed, 4),
  }));

  test("of one draft is 1 minus the total variation", () => {
    for (const { target, draft } of pairs) {
      const q = draft([]);
      const common = target.tokens.reduce(
        (sum, token, index) =>
          sum + Math.min(target.probabilities[index]!, q.probabilities[q.tokens.indexOf(token)] ?? 0),
        0,
      );
      expect(acceptanceOf(rejection, target, independentTree(draft, { depth: 1 }))).toBeCloseTo(common, 10);
    }
  });

  test("grows from one draft to two, from independent ones to k-SEQ, and is greatest without replacement", () => {
    const means = { one: 0, two: 0, kSeq: 0, distinct: 0 };
    for (const { target, draft } of pairs) {
      const one = acceptanceOf(rejection, target, independentTree(draft, { depth: 1 }));
      const two = acceptanceOf(multiRound, target, independentTree(draft, { width: 2, depth: 1 }));
      const optimal = acceptanceOf(kSeq, target, independentTree(draft, { width: 2, depth: 1 }));
      const distinct = acceptanceOf(recursive, target, distinctTree(draft, { depth: 1 }));
      expect(two).toBeGreaterThan(one - 1e-9);
      expect(optimal).toBeGreaterThan(two - 1e-9);
      expect(distinct).toBeGreaterThan(two - 1e-9);
      means.one += one / pairs.length;
      means.two += two / pairs.length;
      means.kSeq += optimal / pairs.length;
      means.distinct += distinct / pairs.length;
    }
    expect(means.two).toBeGreaterThan(means.one + 0.05);
    expect(means.distinct).toBeGreaterThan(means.kSeq + 0.05);
  });
});

test("a vetoed place has the law of the closed form: p without the draft where it was accepted", async () => {
  const target = orderTwo(11, 5)([]);
  const q = orderTwo(12, 5)([]);
  const row: DraftRow = { entropy: entropyOf(q), topK: mostProbable(q, 5) };
  const drafter: ToyDrafter = (_, draw) =>
    DraftTree.chain([{ token: draw(q, "x"), proposal: { kind: "independent", law: q }, origin: "toy", row }]);
  const veto = await rules.get("entropy-veto");
  const rule = veto.open(veto.schema.parse({ top: 5, overlap: 0, targetEntropy: 0, draftEntropy: 0 }));
  const law = speculatedLaw({ target: () => target, drafter, rule, sampling: warm, length: 1 });

  const p = (token: number) => target.probabilities[target.tokens.indexOf(token)] ?? 0;
  const both = (token: number) => Math.min(p(token), q.probabilities[q.tokens.indexOf(token)] ?? 0);
  for (const y of target.tokens) {
    const instead = q.tokens.reduce((sum, x) => (x === y ? sum : sum + (both(x) * p(y)) / (1 - p(x))), 0);
    expect(law.get(String(y)) ?? 0).toBeCloseTo(instead + p(y) - both(y), 10);
  }
});
