/** What every acceptance rule is held to; the laws that they write are held in test/distribution. */
import { describe, expect, test } from "vitest";
import { type Proposal, pointProposal } from "../core/draft-tree.js";
import { greedy } from "../core/model.js";
import type { SparseLaw } from "../core/sparse-law.js";
import type { Child, OpenRule, Place } from "../core/speculation.js";
import { exactRow } from "../models/scripted-tree.js";
import { openRescue } from "./calibrated-rescue.js";
import { rules } from "./index.js";
import { PairCounts } from "./shared/pair-counts.js";

const all = await rules.all();
const warm = { ...greedy, temperature: 1 };
const target: SparseLaw = { tokens: [0, 1, 2, 3], probabilities: [0.1, 0.2, 0.3, 0.4] };
const draftLaw: SparseLaw = { tokens: [0, 1, 2, 3], probabilities: [0.4, 0.3, 0.2, 0.1] };
const independent: Proposal = { kind: "independent", law: draftLaw };

/** A draft model's own row, as sure as `entropy` says. */
const draftRow = (tokens: readonly number[], entropy = 1.3) => ({
  entropy,
  topK: tokens.map((token) => ({ token, logprob: -1 })),
});

interface Told {
  readonly coins?: Readonly<Record<string, number>>;
  readonly children?: readonly Omit<Child, "node">[];
  readonly sampling?: Place["sampling"];
  readonly law?: SparseLaw;
  readonly topK?: number;
  readonly review?: SparseLaw;
}

/** A place with this law and these drafts, where the coins fall as told, else on 0.5. */
function place({ coins = {}, children = [], sampling = warm, law = target, topK = 4, review }: Told): Place {
  const uniform = (purpose: string) => coins[purpose] ?? 0.5;
  const asked = [0, 1, 2, 3];
  const row = (from: SparseLaw) => exactRow(from, { sampling, asked, topK, uniform });
  return {
    ...{ row: row(law), asked, sampling, uniform },
    children: children.map((child, node) => ({ node, ...child })),
    ...(review && { review: row(review) }),
  };
}

const open = async (name: string, options: object = {}): Promise<OpenRule> => {
  const rule = await rules.get(name);
  return rule.open(rule.schema.parse(options));
};
const decide = async (name: string, told: Told, options: object = {}) =>
  written((await open(name, options)).decide(place(told)));
const written = (decision: ReturnType<OpenRule["decide"]>) =>
  "child" in decision ? { child: decision.child } : { write: decision.write.token };

test("every rule says what it is, and whether it is lossless", async () => {
  for (const rule of all) {
    expect((await rules.get(rule.name)).name).toBe(rule.name);
    expect(rule.essence).toMatch(/\w/);
    expect(rule.source).toMatch(/\w/);
    for (const field of Object.values(rule.schema.shape)) expect(field).toHaveProperty("description");
  }
  const lossy = all.filter(({ lossless }) => !lossless).map(({ name }) => name);
  expect(lossy).toEqual(["typical", "calibrated-rescue", "entropy-veto", "reflective"]);
});

describe("greedy", () => {
  test("is refused above temperature 0", async () => {
    const rule = await open("greedy");
    expect(() => rule.decide(place({ children: [{ token: 3, proposal: pointProposal }] }))).toThrow(
      "for temperature 0",
    );
  });
});

test("a draft that its own law does not give is an error of the drafter, not a token to write", async () => {
  const law = { tokens: [0], probabilities: [1] };
  for (const kind of ["independent", "without-replacement"] as const) {
    await expect(decide("recursive", { children: [{ token: 1, proposal: { kind, law } }] })).rejects.toThrow(
      "its law does not give",
    );
  }
});

/** A grid of coins and drafts: an "off" setting must fall exactly as its base does, everywhere. */
async function falls(name: string, options: object): Promise<unknown[]> {
  const rule = await open(name, options);
  const decisions: unknown[] = [];
  for (const token of [0, 1, 2, 3]) {
    for (const accept of [0.05, 0.3, 0.6, 0.9]) {
      for (const recover of [0.1, 0.5, 0.95]) {
        for (const sampling of [warm, greedy, { ...warm, topP: 0.6 }]) {
          const coins = { "accept:0": accept, recover, sample: recover };
          const child = { token, proposal: independent, row: draftRow([3, 2, 1, 0]) };
          const told = { coins, children: [child], sampling, review: draftLaw };
          decisions.push(rule.decide(place(told)));
        }
      }
    }
  }
  return decisions;
}

describe("a stage that is off changes nothing, to the bit", () => {
  test.each([
    ["typical", { epsilon: 1, delta: 1e9 }, "agreement"],
    ["calibrated-rescue", { table: '{"0 3":99,"1 3":99,"2 3":99}', minimum: 1e9 }, "recursive"],
    ["calibrated-rescue", { table: '{"0 3":99,"1 3":99,"2 3":99}', ratio: 2 }, "recursive"],
    ["entropy-veto", { overlap: 2, targetEntropy: 0, draftEntropy: 0 }, "recursive"],
    ["entropy-veto", { overlap: 0, targetEntropy: 9, draftEntropy: 0 }, "recursive"],
    ["entropy-veto", { overlap: 0, targetEntropy: 0, draftEntropy: 0, keep: 1 }, "recursive"],
    ["reflective", { alpha: 0 }, "recursive"],
  ])("%s %o is %s", async (name, options, base) => {
    expect(await falls(name, options)).toEqual(await falls(base, {}));
  });

  test("and on, each changes something", async () => {
    const base = await falls("recursive", {});
    expect(await falls("typical", { epsilon: 0.15 })).not.toEqual(await falls("agreement", {}));
    expect(await falls("calibrated-rescue", { table: '{"0 3":99}' })).not.toEqual(base);
    expect(await falls("entropy-veto", { top: 4, targetEntropy: 0, draftEntropy: 0 })).not.toEqual(base);
    expect(await falls("reflective", { alpha: 0.3 })).not.toEqual(base);
  });
});

describe("typical", () => {
  const children = [
    { token: 1, proposal: pointProposal },
    { token: 2, proposal: pointProposal },
  ];

  test("keeps the likeliest draft above the threshold where none is the target's own token", async () => {
    const told = { children, coins: { sample: 0.95 } };
    expect(await decide("typical", told, { epsilon: 0.15, delta: 1 })).toEqual({ child: 1 });
    expect(await decide("typical", told, { epsilon: 0.35, delta: 9 })).toEqual({ write: 3 });
  });

  test("asks for less the less sure the target is", async () => {
    const told = { children, coins: { sample: 0.95 } };
    // exp(-entropy) of the law is 0.28.
    expect(await decide("typical", told, { epsilon: 1, delta: 1 })).toEqual({ child: 1 });
    expect(await decide("typical", told, { epsilon: 1, delta: 1.2 })).toEqual({ write: 3 });
  });

  test("changes nothing at temperature 0", async () => {
    const told = { children, sampling: greedy };
    expect(await decide("typical", told, { epsilon: 0.01 })).toEqual({ write: 3 });
  });

  test("prefers the draft that plain decoding writes", async () => {
    expect(await decide("typical", { children, coins: { sample: 0.2 } })).toEqual({ child: 0 });
  });
});

describe("calibrated-rescue", () => {
  const refused = {
    children: [{ token: 0, proposal: independent }],
    coins: { "accept:0": 0.9, recover: 0.9 },
  };

  test("keeps a refused draft where the pair is frequent and the target finds it fair", async () => {
    const table = '{"0 3":7}';
    expect(await decide("recursive", refused)).toEqual({ write: 3 });
    expect(await decide("calibrated-rescue", refused, { table })).toEqual({ child: 0 });
    expect(await decide("calibrated-rescue", refused, { table, minimum: 7 })).toEqual({ write: 3 });
    expect(await decide("calibrated-rescue", refused, { table, ratio: 0.26 })).toEqual({ write: 3 });
    expect(await decide("calibrated-rescue", refused, { table: '{"0 2":7}' })).toEqual({ write: 3 });
  });

  test("has a gate that the request's temperature does not move", async () => {
    for (const temperature of [0, 0.3, 2]) {
      const told = {
        ...refused,
        sampling: { ...warm, temperature },
        coins: { "accept:0": 0.999, recover: 0.999 },
      };
      expect(await decide("calibrated-rescue", told, { table: '{"0 3":7}', ratio: 0.24 })).toEqual({
        child: 0,
      });
      expect(await decide("calibrated-rescue", told, { table: '{"0 3":7}', ratio: 0.26 })).toEqual({
        write: 3,
      });
    }
  });

  test("counts disagreements online, first and then asks", () => {
    const counts = PairCounts.empty();
    const rule = openRescue(counts, { minimum: 2, ratio: 0.01, online: true });
    const seen = [1, 2, 3].map(() => written(rule.decide(place(refused))));
    expect(seen).toEqual([{ write: 3 }, { write: 3 }, { child: 0 }]);
    expect(counts.toText()).toBe('{"0 3":3}');
    expect(PairCounts.fromText(counts.toText()).count(0, 3)).toBe(3);
  });

  test.each(["[]", "{", '{"a b":1}', '{"1 2":0}', '{"1 2":1.5}', '{"1 2":"9"}', "null"])(
    "refuses the table %s",
    async (table) => {
      await expect(open("calibrated-rescue", { table })).rejects.toThrow("the table of calibrated-rescue");
    },
  );

  test("forgets the rarest pairs of a table that grows without end", () => {
    const counts = PairCounts.empty();
    for (let round = 0; round < 3; round++) counts.add(1, 1);
    for (let pair = 0; pair < 100_001; pair++) counts.add(2, pair);
    expect(counts.size).toBeLessThan(100_001);
    expect(counts.count(1, 1)).toBe(3);
  });
});

describe("entropy-veto", () => {
  const options = { top: 2, overlap: 0.9, targetEntropy: 1, draftEntropy: 1 };
  const accepted = (row?: ReturnType<typeof draftRow>): Told => ({
    children: [{ token: 3, proposal: independent, row }],
    coins: { "accept:0": 0.1, veto: 0.99 },
  });

  test("throws an accepted draft away where both are unsure about the same tokens, and never writes it", async () => {
    for (let coin = 0; coin < 1; coin += 0.05) {
      const told = { ...accepted(draftRow([2, 3])), coins: { "accept:0": 0.1, veto: coin } };
      expect((await decide("entropy-veto", told, options)).write).toBeLessThan(3);
    }
  });

  test("lets it pass where the lists differ, where one of them is sure, and where no model drafted", async () => {
    expect(await decide("entropy-veto", accepted(draftRow([0, 1])), options)).toEqual({ child: 0 });
    expect(await decide("entropy-veto", accepted(draftRow([2, 3], 0.5)), options)).toEqual({ child: 0 });
    expect(await decide("entropy-veto", accepted(), options)).toEqual({ child: 0 });
    const sure = { ...accepted(draftRow([2, 3])), law: { tokens: [2, 3], probabilities: [0, 1] } };
    expect(await decide("entropy-veto", sure, { ...options, targetEntropy: 0 })).toEqual({ child: 0 });
  });

  test("writes the next best token at temperature 0", async () => {
    const told = { ...accepted(draftRow([2, 3])), sampling: greedy };
    expect(await decide("entropy-veto", told, options)).toEqual({ write: 2 });
  });

  test("leaves a share of the token where it is told to", async () => {
    const told = accepted(draftRow([2, 3]));
    expect(await decide("entropy-veto", told, { ...options, keep: 0.5 })).toEqual({ write: 3 });
  });

  test("without the ratio test every draft passes that is not vetoed", async () => {
    const told = { children: [{ token: 0, proposal: independent }], coins: { "accept:0": 0.99 } };
    expect(await decide("entropy-veto", told, options)).not.toEqual({ child: 0 });
    expect(await decide("entropy-veto", told, { ...options, ratioTest: false })).toEqual({ child: 0 });
  });
});

describe("reflective", () => {
  const children = [{ token: 0, proposal: pointProposal }];
  const told: Told = { children, coins: { "accept:0": 0.15, recover: 0.99 } };
  const fond: SparseLaw = { tokens: [0, 1, 2, 3], probabilities: [0.97, 0.01, 0.01, 0.01] };

  test("accepts by the mixed law what the target alone refuses", async () => {
    expect(await decide("recursive", told)).toEqual({ write: 3 });
    expect(await decide("reflective", { ...told, review: fond })).toEqual({ child: 0 });
    expect(await decide("reflective", { ...told, review: fond }, { alpha: 0.05 })).toEqual({ write: 3 });
  });

  test("tests against the target where there was no room for a second copy", async () => {
    expect(await decide("reflective", told)).toEqual({ write: 3 });
  });

  test("asks for the second copy only where it is on", async () => {
    expect((await open("reflective")).review).toEqual({ prompt: expect.any(String), suffix: 8 });
    expect((await open("reflective", { alpha: 0 })).review).toBeUndefined();
  });

  test("takes what the second list does not tell for its least token, and writes nothing outside the first", async () => {
    const narrow = { ...told, topK: 2, coins: { "accept:0": 0.99, recover: 0.999 }, review: fond };
    expect((await decide("reflective", narrow, { head: 2 })).write).toBe(3);
  });
});
