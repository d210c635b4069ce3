import { describe, expect, test } from "vitest";
import { type RunRequest, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { ScriptedModel } from "../testing/index.js";
import cntp, { perplexity, processedEntropy, trialsAt } from "./cntp.js";
import draftAlone from "./draft.js";

const settings = cntp.schema.parse({});

/** Four sentences of three words; which words come after "w" is uncertain, their ends are not. */
const sentences = [
  ["a", "x", "."],
  ["b", "xx", "."],
  ["c", "y", "z", ","],
  ["d", "!"],
];
const chance = [0.15, 0.4, 0.25, 0.2];

function world(second = 0.9): ScriptedModel {
  return new ScriptedModel({
    pieces: ["xx"],
    law: {
      tokens: ({ text }) => {
        const done = text.split(/(?<=[.,!])/);
        const begun = done.at(-1)!.match(/[.,!]$/) ? "" : done.at(-1)!;
        if (text !== "" && begun === "") return [{ text: "", probability: 1 }];
        const sentence = sentences.find(([first]) => begun.startsWith(first!));
        if (!sentence)
          return sentences.map(([first], index) => ({ text: first!, probability: chance[index]! }));
        const written = sentence.findIndex((_, index) => sentence.slice(0, index).join("") === begun);
        const next = sentence[written]!;
        // After the first word one other end is possible.
        return written === 1 && sentence[0] === "a"
          ? [
              { text: next, probability: second },
              { text: "!", probability: 1 - second },
            ]
          : [{ text: next, probability: 1 }];
      },
    },
  });
}

async function decode(options: unknown, more: Partial<RunRequest> = {}) {
  const run = startRun({ method: cntp, options, question: "?", roles: { draft: world() }, ...more });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

describe("card: how many trials", () => {
  test("one at or below the low entropy, all from the high one on, never fewer for more entropy", () => {
    expect([0, 0.005, 0.01].map((entropy) => trialsAt(entropy, settings))).toEqual([1, 1, 1]);
    expect([1.5, 2, 11].map((entropy) => trialsAt(entropy, settings))).toEqual([10, 10, 10]);
    // The code's form: 1 + floor(9 x 0.5).
    expect(trialsAt((1.5 + 0.01) / 2, settings)).toBe(5);
    const counts = Array.from({ length: 200 }, (_, index) => trialsAt(index / 100, settings));
    for (let index = 1; index < counts.length; index++)
      expect(counts[index]).toBeGreaterThanOrEqual(counts[index - 1]!);
  });

  test("by the entropy of the law that is sampled from", () => {
    const law = [0.5, 0.25, 0.25].map((p) => ({ logprob: Math.log(p) }));
    const entropy = (sampleTemperature: number, sampleTopP: number) =>
      processedEntropy(law, { sampleTemperature, sampleTopP });
    expect(entropy(1, 1)).toBeCloseTo(1.5 * Math.LN2, 12);
    expect(entropy(1, 0.75)).toBeCloseTo(-(2 / 3) * Math.log(2 / 3) - (1 / 3) * Math.log(1 / 3), 12);
    expect(entropy(1, 0.5)).toBeCloseTo(0, 12);
    expect(entropy(0, 1)).toBe(0);
    expect(entropy(1e9, 1)).toBeCloseTo(Math.log(3), 6);
  });
});

test("card: with one trial it is plain sampling, the same text at the same seed", async () => {
  const sampling = { temperature: 1.2, topP: 0.9 };
  for (let seed = 0; seed < 30; seed++) {
    const { result } = await decode({ trials: 1 }, { seed });
    const plain = await decode({}, { method: draftAlone, options: {}, seed, sampling });
    expect(result.text).toBe(plain.result.text);
    expect(result.ledger.draft!.discardedTokens).toBe(0);
  }
});

test("card: with a low entropy above every law it is plain sampling too", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { result } = await decode({ entropyLow: 9, entropyHigh: 10 }, { seed });
    const plain = await decode({ trials: 1 }, { seed });
    expect(result.text).toBe(plain.result.text);
  }
});

test("card: at temperature 0 it is greedy", async () => {
  const { result } = await decode({ sampleTemperature: 0 });
  expect(result.text).toBe("bxx.");
});

test("card: the least surprising trial stays, and each ends at its first mark", async () => {
  let chosen = 0;
  for (let seed = 0; seed < 40; seed++) {
    const { events } = await decode({}, { seed });
    const trials = events.flatMap((event) =>
      event.type === "step-written" && event.origin === "trial" ? [event] : [],
    );
    const parents = new Set(trials.map(({ parent }) => parent));
    const kept = new Set(events.flatMap((event) => (event.type === "step-committed" ? [event.node] : [])));
    for (const place of parents) {
      const group = trials.filter(({ parent }) => parent === place);
      expect(group.length).toBeGreaterThan(1);
      const least = Math.min(...group.map(({ logprobs }) => perplexity(logprobs)));
      const winners = group.filter(({ node }) => kept.has(node));
      expect(winners).toHaveLength(1);
      expect(perplexity(winners[0]!.logprobs)).toBe(least);
      for (const { text } of group) expect(text).toMatch(/^[^.,!]*[.,!]$/);
      chosen++;
    }
  }
  expect(chosen).toBeGreaterThan(39);
});

test("card: a continuation's chance is that of being the best of all trials", async () => {
  // The four beginnings have perplexities of their own; "a" may end in two ways.
  const whole = new Map<string, readonly [number, number]>([
    ["ax.", [0.15 * 0.9, 3]],
    ["a!", [0.15 * 0.1, 2]],
    ["bxx.", [0.4, 3]],
    ["cyz,", [0.25, 4]],
    ["d!", [0.2, 2]],
  ]);
  const surprise = (text: string) => {
    const [probability, tokens] = whole.get(text)!;
    return probability ** (-1 / tokens);
  };
  const trials = 3;
  const runs = 3000;
  const options = { trials, entropyLow: 0, entropyHigh: 0.001, sampleTemperature: 1, sampleTopP: 1 };
  const counts = new Map<string, number>();
  for (let seed = 0; seed < runs; seed++) {
    const { text } = (await decode(options, { seed })).result;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  let distance = 0;
  for (const [text, [probability]] of whole) {
    const worse = [...whole].filter(([other]) => surprise(other) > surprise(text));
    const tail = worse.reduce((sum, [, [p]]) => sum + p, 0);
    const expected = (tail + probability) ** trials - tail ** trials;
    distance += Math.abs((counts.get(text) ?? 0) / runs - expected) / 2;
  }
  expect(distance).toBeLessThan(0.025);
});

test("card: tokens written are those kept and those discarded, and the answer keeps to its limit", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { result } = await decode({ cap: 2 }, { seed, maxTokens: 3 });
    const kept = result.steps.reduce((sum, { tokens }) => sum + tokens, 0);
    const { decodeTokens, discardedTokens } = result.ledger.draft!;
    expect(decodeTokens).toBe(kept + discardedTokens);
    expect(kept).toBeLessThanOrEqual(3);
  }
});
