import { expect, test } from "vitest";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel } from "../testing/index.js";
import draftAlone from "./draft.js";
import firstFinish from "./first-finish.js";

/** Answers of one to eight steps; right ones tend to be short. The last step says which it is. */
const rightLengths = [0.05, 0.2, 0.35, 0.25, 0.1, 0.05, 0, 0];
const wrongLengths = [0.15, 0.05, 0.05, 0.1, 0.15, 0.15, 0.15, 0.2];
const right = 0.6;

/** One token a step, so that lengths in steps are lengths in tokens. */
const steps = ["t\n\n", "f\n\n", "T", "F"];
const draft = new ScriptedModel({
  pieces: [
    ...steps,
    ...Array.from({ length: 8 }, (_, at) => ["t", "f"].map((kind) => `${kind}${at}\n\n`)).flat(),
  ],
  law: {
    steps: (_, written) => {
      const at = written.length;
      const kinds = at === 0 ? ["t", "f"] : [written[0]![0]!];
      return kinds.flatMap((kind) => {
        const share = at > 0 ? 1 : kind === "t" ? right : 1 - right;
        const lengths = kind === "t" ? rightLengths : wrongLengths;
        const left = lengths.slice(at).reduce((sum, p) => sum + p, 0);
        const ends = left > 0 ? lengths[at]! / left : 1;
        return [
          { text: `${kind}${at}`, probability: share * (1 - ends) },
          { text: kind.toUpperCase(), probability: share * ends, end: true },
        ].filter(({ probability }) => probability > 0);
      });
    },
  },
});

const run = (options: object, seed = 0, more: object = {}) =>
  carryOut({
    ...{ method: firstFinish, question: "?", roles: { draft }, seed, ...more },
    options: { sampleTemperature: 1, ...options },
  });

type Ran = Awaited<ReturnType<typeof run>>;

/** Every sample's tokens and whether it ended, by its number. */
function samples({ events }: Ran): { tokens: number; ended: boolean; text: string }[] {
  const found: { tokens: number; ended: boolean; text: string }[] = [];
  for (const { node, tokens, finish, text } of ofType(events, "step-written")) {
    const lane = Number(node.split(".")[0]);
    const before = found[lane] ?? { tokens: 0, text: "" };
    found[lane] = {
      tokens: before.tokens + tokens.length,
      ended: finish === "stop",
      text: before.text + text,
    };
  }
  return found;
}

const winner = ({ result }: Ran) => result.steps.reduce((sum, { tokens }) => sum + tokens, 0);

test("first finish card: one sample is plain sampling", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const plain = await carryOut({
      ...{ method: draftAlone, question: "?", roles: { draft }, seed, sampling: { temperature: 1 } },
    });
    expect((await run({ samples: 1 }, seed)).result.text).toBe(plain.result.text);
  }
});

test("first finish card: the winner is the shortest of all samples, with the text it would have had anyway", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const first = await run({ samples: 5 }, seed);
    const all = samples(await run({ samples: 5, wait: 5 }, seed));
    expect(all.every(({ ended }) => ended)).toBe(true);
    const least = Math.min(...all.map(({ tokens }) => tokens));
    expect(winner(first)).toBe(least);
    // Of equals the one with the lowest number.
    expect(first.result.text).toBe(all.find(({ tokens }) => tokens === least)!.text.trimEnd());
  }
});

test("first finish card: tokens in all = samples x the winner's, to one step each; the rest is freed at once", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const ran = await run({ samples: 5 }, seed);
    const length = winner(ran);
    expect(ran.result.ledger.draft!.decodeTokens).toBeGreaterThanOrEqual(5 * (length - 1));
    // The step of the winner's end has its end token; the others' steps of that round have one token.
    expect(ran.result.ledger.draft!.decodeTokens).toBeLessThanOrEqual(5 * length);
    // Each loser is given up before the winner is decided for.
    const decided = ran.events.findIndex((event) => event.type === "step-committed");
    const lanes = ofType(ran.events.slice(0, decided), "step-pruned").map(({ node }) => node.split(".")[0]);
    const pruned = new Set(lanes);
    expect(pruned.size).toBe(4);
  }
});

test("first finish card: tokens never fall with the answers waited for; all of them are the majority", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const spent: number[] = [];
    for (const wait of [1, 2, 3, 5]) {
      spent.push((await run({ samples: 5, wait }, seed)).result.ledger.draft!.decodeTokens);
    }
    expect(spent).toEqual([...spent].sort((a, b) => a - b));
    const answers = { extract: (text: string) => text.at(-1)! };
    const voted = await run({ samples: 5, wait: 5 }, seed, { answers });
    const all = samples(voted).map(({ text }) => text.at(-1)!);
    const most = all.filter((answer) => answer === "T").length >= 3 ? "T" : "F";
    expect(voted.result.text.at(-1)).toBe(most);
  }
});

test("first finish card: the shortest is right as often as the lengths' law says, and shorter with more samples", async () => {
  const survival = (lengths: readonly number[], from: number) =>
    lengths.slice(from).reduce((sum, p) => sum + p, 0);
  const mix = (value: (lengths: readonly number[]) => number) =>
    right * value(rightLengths) + (1 - right) * value(wrongLengths);
  let before = Number.POSITIVE_INFINITY;
  for (const count of [1, 3, 6]) {
    // P(the shortest is right): a right one of this length, the others longer, or as long (the first of them wins).
    let expected = 0;
    for (const [at, p] of rightLengths.entries()) {
      const same = mix((lengths) => lengths[at]!);
      const longer = mix((lengths) => survival(lengths, at + 1));
      if (same > 0) expected += ((right * p) / same) * ((same + longer) ** count - longer ** count);
    }
    const runs = 600;
    let [hits, length] = [0, 0];
    for (let seed = 0; seed < runs; seed++) {
      const ran = await run({ samples: count }, seed);
      if (ran.result.text.endsWith("T")) hits++;
      length += winner(ran) / runs;
    }
    expect(Math.abs(hits / runs - expected)).toBeLessThan(
      3.5 * Math.sqrt((expected * (1 - expected)) / runs),
    );
    expect(length).toBeLessThan(before);
    before = length;
  }
});

test("first finish card: a sample cut by a limit never wins; all cut is said", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const ran = await run({ samples: 4 }, seed, { maxTokens: 3 });
    const all = samples(ran);
    if (all.some(({ ended }) => ended)) expect(ran.result.finish).toBe("stop");
    else expect(ran.result).toMatchObject({ finish: "length" });
  }
  expect((await run({ samples: 3 }, 0, { maxTokens: 1 })).result.finish).toBe("length");
});

test("shorter answers than asked for are refused", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const ran = await run({ samples: 6, minTokens: 4 }, seed);
    const all = samples(ran).filter(({ ended, tokens }) => ended && tokens >= 4);
    if (all.length > 0) expect(winner(ran)).toBe(Math.min(...all.map(({ tokens }) => tokens)));
  }
});

test("a race is won by the first in time; the others are cut and freed", async () => {
  // The third call to write takes no time, the others do.
  let writing = 0;
  const racing = new ScriptedModel({
    ...draft.options,
    delay: ({ kind }) => (kind === "extend" && ++writing !== 3 ? 5 : 0),
  });
  const { result, events } = await carryOut({
    ...{ method: firstFinish, question: "?", roles: { draft: racing } },
    options: { samples: 4, mode: "race" },
  });
  expect(result.finish).toBe("stop");
  const written = ofType(events, "step-written");
  expect(written.map(({ stop }) => stop)).toEqual(["cut", "cut", "end", "cut"]);
  expect(result.ledger.draft!.decodeTokens).toBe(written[2]!.tokens.length);
  expect(racing.liveBranches).toBe(0);
});
