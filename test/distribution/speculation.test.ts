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
import {
  distinctTree,
  fixedChain,
  independentTree,
  mixedTree,
  orderTwo,
  pointTree,
  warm,
} from "./toy-laws.js";

const target = orderTwo(1);
const draft = orderTwo(2);
const other = orderTwo(3);
const length = 3;

const drafters: Record<string, { kinds: readonly string[]; oneLaw: boolean; drafter: ToyDrafter }> = {
  "a chain": { kinds: ["independent"], oneLaw: true, drafter: independentTree(draft) },
  "independent draws": {
    kinds: ["independent"],
    oneLaw: true,
    drafter: independentTree(draft, { width: 2, depth: 1 }),
  },
  "merged independent draws": {
    kinds: ["independent"],
    oneLaw: true,
    drafter: independentTree(draft, { width: 3, depth: 1, merge: true }),
  },
  "draws without replacement": {
    kinds: ["without-replacement"],
    oneLaw: true,
    drafter: distinctTree(draft, { depth: 1 }),
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

/** Wide trees are enumerated slowly: their siblings are tried where the laws are widest and where they are cut. */
const isTried = (drafts: string, name: string) =>
  !drafts.endsWith("independent draws") || name === "temperature 1" || name.startsWith("top-p");

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
      if (!isTried(drafts, name) || (rule.name === "greedy" && sampling.temperature > 0)) continue;
      test(`writes the target's law from ${drafts}, ${name}`, () => {
        const given = { target, drafter: entry.drafter, rule: open(rule), sampling, length };
        expect(totalVariation(speculatedLaw(given), plainLaw(given))).toBeLessThan(1e-10);
      });
    }
  }
});

describe("deep trees", () => {
  const deep: [name: string, drafter: ToyDrafter][] = [
    ["recursive", distinctTree(draft)],
    ["recursive", independentTree(draft, { width: 2 })],
    ["k-seq", independentTree(draft, { width: 2 })],
    ["k-seq", independentTree(draft, { width: 2, merge: true })],
    ["agreement", distinctTree(draft)],
  ];
  test.each(deep)("%s writes the target's law", async (name, drafter) => {
    const given = { target, drafter, rule: open(await rules.get(name)), sampling: warm, length };
    expect(totalVariation(speculatedLaw(given), plainLaw(given))).toBeLessThan(1e-10);
  });
});

describe("many texts", () => {
  const runs = 20_000;
  const sampled: [name: string, drafts: string, drafter: ToyDrafter][] = [
    ["rejection", "a chain", independentTree(draft)],
    ["recursive", "a tree of different draws", distinctTree(draft)],
    ["k-seq", "a tree of independent draws", independentTree(draft, { width: 2 })],
    ["recursive", "mixed drafts", mixedTree(draft, other)],
    ["agreement", "fixed drafts", pointTree([2, 0])],
  ];
  test.each(sampled)("%s on %s: the target's law up to chance", async (name, _, drafter) => {
    const given = { target, drafter, rule: open(await rules.get(name)), sampling: warm, length };
    const law = plainLaw(given);
    const { counts } = sampleTexts(given, runs);
    expect(chiSquareDeviation(counts, law)).toBeLessThan(4);
    expect(totalVariation(frequencies(counts), law)).toBeLessThan(2 * expectedVariation(law, runs));
  });

  test("are enough to see a drafter that is a little off", () => {
    const drafter: ToyDrafter = (tokens, draw, sampling) => {
      const tree = independentTree(draft, { depth: 1 })(tokens, draw, sampling);
      // One draw of this token in four is thrown away.
      return tree.nodes[0]!.token === 1 && draw({ tokens: [0, 1], probabilities: [0.75, 0.25] }, "whim") === 1
        ? pointTree([])(tokens, draw, sampling)
        : tree;
    };
    const given = {
      target,
      drafter,
      rule: open(lossless.find(({ name }) => name === "rejection")!),
      sampling: warm,
      length,
    };
    const law = plainLaw(given);
    expect(chiSquareDeviation(sampleTexts(given, runs).counts, law)).toBeGreaterThan(4);
  });
});

describe("a draft that is the target's own law", () => {
  test.each(["rejection", "multi-round", "recursive", "k-seq"])("%s accepts every draft", async (name) => {
    const drafter = independentTree(target, { depth: 3 });
    for (const sampling of [warm, { ...warm, temperature: 0.5, topP: 0.8 }]) {
      const { drafted, accepted } = sampleTexts(
        { target, drafter, rule: open(await rules.get(name)), sampling, length: 4 },
        500,
      );
      expect(accepted).toBe(drafted);
    }
  });

  test("the first draw without replacement is accepted, and as many draws as tokens leave nothing to refuse", async () => {
    const rule = open(await rules.get("recursive"));
    const own = sampleTexts({ target, drafter: distinctTree(target), rule, sampling: warm, length: 2 }, 300);
    expect(own.accepted / own.blocks).toBe(2);
    const whole = sampleTexts(
      { target, drafter: distinctTree(draft, { width: 3, depth: 1 }), rule, sampling: warm, length: 1 },
      300,
    );
    const covered = draft([]).tokens.length === 3;
    expect(covered && whole.accepted).toBe(covered && whole.blocks);
  });
});

describe("forced acceptance", () => {
  const truth = (tokens: readonly number[]) => {
    const { tokens: ids, probabilities } = target(tokens);
    return ids[probabilities.indexOf(Math.max(...probabilities))]!;
  };
  /** A greedy chain of three that is right where `isRight` says so. */
  const chain =
    (isRight: (depth: number) => boolean): ToyDrafter =>
    (tokens, draw, sampling) => {
      const held = [...tokens];
      for (let depth = 0; depth < 3; depth++) {
        held.push(isRight(depth) ? truth(held) : (truth(held) + 1) % 3);
      }
      return fixedChain(held.slice(tokens.length))(tokens, draw, sampling);
    };
  const cases = [
    ["of all drafts", () => true, 3],
    ["of none", () => false, 0],
    ["of every second one", (depth: number) => depth % 2 === 0, 1],
  ] as const;
  test.each(cases)("%s gives the plain greedy text", (_, isRight, kept) => {
    for (const rule of lossless.filter(({ name }) => name !== "k-seq")) {
      const given = { target, drafter: chain(isRight), rule: open(rule), sampling: greedy, length: 8 };
      const { counts, accepted, blocks } = sampleTexts(given, 1);
      expect(new Set(counts.keys())).toEqual(new Set(plainLaw(given).keys()));
      expect(accepted / blocks).toBe(kept);
    }
  });
});

test("a tree with one branch writes a chain's texts bit for bit, whatever the rule for trees", async () => {
  const texts = async (name: string, drafter: ToyDrafter) =>
    sampleTexts({ target, drafter, rule: open(await rules.get(name)), sampling: warm, length: 6 }, 400)
      .counts;
  const chain = await texts("rejection", independentTree(draft, { depth: 3 }));
  expect(await texts("multi-round", independentTree(draft, { depth: 3 }))).toEqual(chain);
  expect(await texts("k-seq", independentTree(draft, { depth: 3 }))).toEqual(chain);
  expect(await texts("recursive", distinctTree(draft, { width: 1, depth: 3 }))).toEqual(chain);
});

test("agreement writes the text that no drafts at all give, bit for bit", async () => {
  const rule = open(await rules.get("agreement"));
  const sampling = { ...warm, temperature: 0.8, topP: 0.9 };
  const plain = sampleTexts({ target, drafter: pointTree([]), rule, sampling, length: 6 }, 400);
  for (const { drafter } of Object.values(drafters)) {
    expect(sampleTexts({ target, drafter, rule, sampling, length: 6 }, 400).counts).toEqual(plain.counts);
  }
});
