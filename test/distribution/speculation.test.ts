/** Every rule that claims it writes the target's law does, for every kind of draft it takes: to the last digits. */
import { describe, expect, test } from "vitest";
import { rules } from "../../src/accept/index.js";
import { greedy, type Sampling } from "../../src/core/model.js";
import type { AcceptanceRule, OpenRule } from "../../src/core/speculation.js";
import {
  chiSquareDeviation,
  expectedVariation,
  frequencies,
  plainLaw,
  sampleTexts,
  speculatedLaw,
  type ToyDrafter,
  totalVariation,
} from "../../src/testing/index.js";
import { distinctTree, independentTree, mixedTree, orderTwo, pointTree, warm } from "./toy-laws.js";

const target = orderTwo(1);
const draft = orderTwo(2);
const other = orderTwo(3);
const length = 3;

const drafters: Record<string, { kinds: readonly string[]; oneLaw: boolean; drafter: ToyDrafter }> = {
  "a chain": { kinds: ["independent"], oneLaw: true, drafter: independentTree(draft) },
  "independent draws": {
    kinds: ["independent"],
    oneLaw: true,
    drafter: independentTree(draft, { width: 2 }),
  },
  "merged independent draws": {
    kinds: ["independent"],
    oneLaw: true,
    drafter: independentTree(draft, { width: 3, depth: 1, merge: true }),
  },
  "draws without replacement": {
    kinds: ["without-replacement"],
    oneLaw: true,
    drafter: distinctTree(draft),
  },
  "fixed drafts": { kinds: ["point"], oneLaw: false, drafter: pointTree([2, 0]) },
  "drafts of all kinds": {
    kinds: ["point", "independent", "without-replacement"],
    oneLaw: false,
    drafter: mixedTree(draft, other),
  },
};

const samplings: Record<string, Sampling> = {
  "temperature 1": warm,
  "temperature 0.6": { ...warm, temperature: 0.6 },
  "top-p 0.7 at temperature 1.3": { ...warm, temperature: 1.3, topP: 0.7 },
  "top-k 2": { ...warm, topK: 2 },
  "min-p 0.3": { ...warm, minP: 0.3 },
  greedy,
};

const all = await rules.all();
const lossless = all.filter((rule) => rule.lossless);
const open = (rule: AcceptanceRule): OpenRule => rule.open(rule.schema.parse({}));

function suits(rule: AcceptanceRule, { kinds, oneLaw }: (typeof drafters)[string]): boolean {
  if (rule.name === "k-seq") return oneLaw && kinds.every((kind) => kind === "independent");
  return kinds.every((kind) => (rule.proposals as readonly string[]).includes(kind));
}

describe.each(lossless.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
  for (const [drafts, entry] of Object.entries(drafters)) {
    if (!suits(rule, entry)) {
      test(`refuses ${drafts}`, () => {
        const given = { target, drafter: entry.drafter, rule: open(rule), sampling: warm, length: 1 };
        expect(() => speculatedLaw(given)).toThrow("cannot test a draft");
      });
      continue;
    }
    for (const [name, sampling] of Object.entries(samplings)) {
      if (rule.name === "greedy" && sampling.temperature > 0) continue;
      test(`writes the target's law from ${drafts}, ${name}`, () => {
        const given = { target, drafter: entry.drafter, rule: open(rule), sampling, length };
        expect(totalVariation(speculatedLaw(given), plainLaw(given))).toBeLessThan(1e-10);
      });
    }
  }
});
