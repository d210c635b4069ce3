import { describe, expect, test } from "vitest";
import { ScriptedModel } from "../testing/index.js";
import { MethodBench } from "../testing/method-bench.js";
import draftAlone from "./draft.js";
import selfConsistency, { isSettled, leadProbability } from "./self-consistency.js";

const same = { sampleTemperature: 1, sampleTopP: 1 };

const answering = (law: Record<string, number>) =>
  new ScriptedModel({
    law: {
      steps: () => Object.entries(law).map(([text, probability]) => ({ text, probability, end: true })),
    },
  });

const group = (weight: number) => ({ answer: String(weight), nodes: [], weight });

test("bag-of-tricks card: n = 1 is the plain sample", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { result } = await new MethodBench(selfConsistency, { samples: 1, ...same }).run({ seed });
    const plain = await new MethodBench(draftAlone, {}).run({ seed });
    expect(result.text).toBe(plain.result.text);
    expect(result.ledger.draft).toEqual(plain.result.ledger.draft);
  }
});

test("the most frequent answer wins, the one that came first among equals", async () => {
  const bench = new MethodBench(selfConsistency, { samples: 9, batch: 3, ...same });
  for (let seed = 0; seed < 40; seed++) {
    const { result, events } = await bench.run({
      seed,
      roles: { draft: answering({ x: 0.4, y: 0.4, z: 0.2 }) },
    });
    const texts = events.flatMap((event) => (event.type === "step-written" ? [event.text] : []));
    const count = (text: string) => texts.filter((other) => other === text).length;
    const most = Math.max(...texts.map(count));
    expect(result.text).toBe(texts.find((text) => count(text) === most));
    expect(texts).toHaveLength(9);
  }
});

test("answers that mean the same are one, and texts without an answer have no vote", async () => {
  const answers = {
    extract: (text: string) => /\d+(\.\d+)?/.exec(text)?.[0] ?? null,
    same: (first: string, second: string) => Number(first) === Number(second),
  };
  const bench = new MethodBench(selfConsistency, { samples: 16, batch: 16, ...same });
  const draft = answering({ "it is 2": 0.3, "so 2.0": 0.3, "I think 3": 0.4 });
  for (let seed = 0; seed < 10; seed++) {
    const { result, events } = await bench.run({ roles: { draft }, answers, seed });
    const texts = events.flatMap((event) => (event.type === "step-written" ? [event.text] : []));
    const threes = texts.filter((text) => text.endsWith("3")).length;
    if (threes !== 8) expect(Number(answers.extract(result.text))).toBe(threes > 8 ? 3 : 2);
  }
  const silent = answering({ "it is 7": 0.25, "I do not know": 0.75 });
  const { result: found, events } = await bench.run({ roles: { draft: silent }, answers, seed: 3 });
  expect(events.some((event) => event.type === "step-written" && event.text === "it is 7")).toBe(true);
  expect(found.text).toBe("it is 7");
});

test("bag-of-tricks card: up to five further answers while none could be read", async () => {
  const answers = { extract: () => null };
  const bench = new MethodBench(selfConsistency, { samples: 2, ...same });
  const { result } = await bench.run({ answers });
  expect(result.ledger.draft!.calls).toBe(4 * (2 + 5));
  expect(result.finish).toBe("stop");
});

describe("stopping early", () => {
  test("the probability that the leader stays ahead, against Simpson's rule on the Beta law", () => {
    for (const [first, second] of [
      [1, 0],
      [3, 1],
      [5, 5],
      [9, 2],
    ] as const) {
      const density = (p: number) => p ** first * (1 - p) ** second;
      const integral = (from: number, to: number) => {
        const pieces = 2000;
        const step = (to - from) / pieces;
        let sum = density(from) + density(to);
        for (let at = 1; at < pieces; at++) sum += density(from + at * step) * (at % 2 === 1 ? 4 : 2);
        return (sum * step) / 3;
      };
      expect(leadProbability(first, second)).toBeCloseTo(integral(0.5, 1) / integral(0, 1), 8);
    }
  });

  test("is off at confidence 1, and later for a closer race", () => {
    expect(isSettled([group(50)], 1)).toBe(false);
    expect(isSettled([group(4)], 0.95)).toBe(true);
    expect(isSettled([group(3)], 0.95)).toBe(false);
    expect(isSettled([group(4), group(2)], 0.95)).toBe(false);
    expect(isSettled([], 0.5)).toBe(false);
  });

  test("spends less on an easy question, and all on a hard one", async () => {
    const bench = new MethodBench(selfConsistency, { samples: 16, batch: 2, confidence: 0.95, ...same });
    const calls = async (law: Record<string, number>) =>
      (await bench.run({ roles: { draft: answering(law) } })).result.ledger.draft!.calls;
    expect(await calls({ sure: 1 })).toBe(4);
    expect(await calls(Object.fromEntries([..."abcdefghijklmnop"].map((text) => [text, 1 / 16])))).toBe(16);
  });
});
