import { describe, expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { type RunRequest, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { ScriptedModel, type TokenChoice } from "../testing/index.js";
import { type ForcedToken, forceSolution, learnThreshold } from "./adadec/threshold.js";
import adadec from "./adadec.js";
import draftAlone from "./draft.js";

const letters = [..."abcdef"];

/** Each token's law depends on the last two letters; some laws are sharp, some are flat. */
function random(seed: number): ScriptedModel {
  return new ScriptedModel({
    law: {
      tokens: ({ text }): TokenChoice[] => {
        const state = text.slice(-2);
        const draw = (index: number) => keyedUniform(seed, state, index, "weight");
        const sharpness = 8 * keyedUniform(seed, state, 0, "sharpness");
        const weights = letters.map((_, index) => Math.exp(sharpness * draw(index)));
        const total = weights.reduce((sum, weight) => sum + weight, 0) / 0.95;
        const choices = letters.map((letter, index) => ({
          text: letter,
          probability: weights[index]! / total,
        }));
        return [...choices, { text: "", probability: 0.05 }];
      },
    },
  });
}

/** "x" is a little likelier than "y", but leads into a fog; "y" leads to a sure "yes". */
const garden = new ScriptedModel({
  law: {
    tokens: ({ text }): TokenChoice[] => {
      if (text === "")
        return [
          { text: "x", probability: 0.51 },
          { text: "y", probability: 0.49 },
        ];
      if (text.startsWith("x") && text.length < 4)
        return letters.map((letter) => ({ text: letter, probability: 1 / 6 }));
      const rest = { y: "e", ye: "s" }[text];
      return [{ text: rest ?? "", probability: 1 }];
    },
  },
});

async function decode(options: unknown, draft: ScriptedModel, more: Partial<RunRequest> = {}) {
  const request = { method: adadec, options, question: "?", roles: { draft }, maxTokens: 30, ...more };
  const run = startRun(request);
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

const text = async (options: unknown, draft: ScriptedModel) => (await decode(options, draft)).result.text;
const greedy = async (draft: ScriptedModel) => (await decode({}, draft, { method: draftAlone })).result.text;

test("card: without pauses, with one candidate or without lookahead it is greedy, token for token", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const expected = await greedy(random(seed));
    for (const options of [
      { threshold: 100 },
      { candidates: 1, threshold: 0 },
      { lookahead: 0, threshold: 0 },
    ]) {
      const { result, events } = await decode(options, random(seed));
      expect(result.text).toBe(expected);
      expect(events.some((event) => event.type === "step-written" && event.origin === "lookahead")).toBe(
        false,
      );
    }
  }
});

test("card: at threshold 0 it looks ahead at every token", async () => {
  const { result, events } = await decode({ threshold: 0, reuse: false }, random(1));
  const tokens = result.steps.reduce((sum, step) => sum + step.tokens, 0);
  expect(events.filter((event) => event.type === "candidates-read")).toHaveLength(tokens);
  expect(result.steps.every(({ origin }) => origin === "candidate")).toBe(true);
});

test("card: a garden path is left for the continuation that is likelier as a whole", async () => {
  expect(await greedy(garden)).toMatch(/^x/);
  expect(await text({ threshold: 0.5 }, garden)).toBe("yes");
  // The control: what differs is the pause, not luck.
  expect(await text({ threshold: 0.7 }, garden)).toMatch(/^x/);
});

test("card: the chosen token is among the best candidates and scores highest, the likelier of equals", async () => {
  let pauses = 0;
  for (let seed = 0; seed < 10; seed++) {
    const { events } = await decode({ threshold: 0.8, reuse: false }, random(seed));
    const committed = new Set(
      events.flatMap((event) => (event.type === "step-committed" ? [event.node] : [])),
    );
    const written = events.flatMap((event) => (event.type === "step-written" ? [event] : []));
    for (const event of events) {
      if (event.type !== "candidates-read" || event.entropy < 0.8) continue;
      const candidates = written.filter(
        ({ parent, origin }) => parent === event.node && origin === "candidate",
      );
      expect(candidates.map(({ tokens }) => tokens[0])).toEqual(event.tokens.map(({ token }) => token));
      const scores = candidates.map(({ node, logprobs }) => {
        const ahead = written.find(({ parent, origin }) => parent === node && origin === "lookahead");
        const all = [...logprobs, ...(ahead?.logprobs ?? [])];
        return all.reduce((sum, value) => sum + value, 0) / all.length;
      });
      expect(committed.has(candidates[scores.indexOf(Math.max(...scores))]!.node)).toBe(true);
      pauses++;
    }
  }
  expect(pauses).toBeGreaterThan(20);
});

test("card: keeping the winner's lookahead changes no token and costs less", async () => {
  let [kept, anew] = [0, 0];
  for (let seed = 0; seed < 40; seed++) {
    const reused = await decode({ threshold: 0.9 }, random(seed));
    const plain = await decode({ threshold: 0.9, reuse: false }, random(seed));
    expect(reused.result.text).toBe(plain.result.text);
    kept += reused.result.ledger.draft!.decodeTokens;
    anew += plain.result.ledger.draft!.decodeTokens;
  }
  expect(kept).toBeLessThan(anew);
});

test("card: pauses become rarer as the threshold rises; tokens are those kept and those discarded", async () => {
  const pauses: number[] = [];
  for (const threshold of [0.2, 0.6, 1, 1.4]) {
    let count = 0;
    for (let seed = 0; seed < 20; seed++) {
      // One token, so that the prefixes are the same at every threshold.
      const { events, result } = await decode({ threshold, reuse: false }, random(seed), { maxTokens: 1 });
      count += events.filter(
        (event) => event.type === "candidates-read" && event.entropy >= threshold,
      ).length;
      const inAnswer = result.steps.reduce((sum, step) => sum + step.tokens, 0);
      const { decodeTokens, discardedTokens } = result.ledger.draft!;
      expect(decodeTokens - discardedTokens).toBe(inAnswer);
    }
    pauses.push(count);
  }
  expect(pauses[0]).toBeGreaterThan(pauses[3]!);
  expect(pauses).toEqual([...pauses].sort((a, b) => b - a));
});

describe("learning the threshold", () => {
  const law = { weight: -3, bias: 4 };
  const sample = (count: number, seed: number): ForcedToken[] =>
    Array.from({ length: count }, (_, index) => {
      const entropy = 3 * keyedUniform(seed, "entropy", index, "draw");
      const chance = 1 / (1 + Math.exp(-(law.weight * entropy + law.bias)));
      return { entropy, isFirst: keyedUniform(seed, "first", index, "draw") < chance };
    });

  test("card: from a known law it finds the crossing, and a cut near one half on balanced tokens", () => {
    const { threshold, weight, cut, accuracy, pauseRate } = learnThreshold(sample(60_000, 1));
    expect(weight).toBeLessThan(0);
    // Right and wrong are as frequent where 4 - 3 x entropy is 0.
    expect(Math.abs(threshold - 4 / 3)).toBeLessThan(0.15);
    expect(Math.abs(cut - 0.5)).toBeLessThan(0.12);
    expect(accuracy).toBeGreaterThan(0.8);
    expect(pauseRate).toBeCloseTo(1 - threshold / 3, 1);
  });

  test("card: a law that rises with entropy, or too little to go by, is refused", () => {
    const upside = sample(2000, 2).map(({ entropy, isFirst }) => ({ entropy: 3 - entropy, isFirst }));
    expect(() => learnThreshold(upside)).toThrow("right as often");
    expect(() => learnThreshold(sample(20, 1))).toThrow("too few");
  });

  test("a solution is read token by token, its first left out, and nothing stays open", async () => {
    const model = random(3);
    const forced = await forceSolution(model, [{ role: "user", content: "?" }], "abc");
    const branch = await model.open(await model.renderChat([{ role: "user", content: "?" }]));
    const expected: ForcedToken[] = [];
    for (const [letter, next] of ["ab", "bc"]) {
      const { topK, entropy } = await branch.append(letter!, { topK: 1 });
      const [token] = await model.tokenize(next!);
      expected.push({ entropy: entropy!, isFirst: topK![0]!.token === token });
    }
    expect(forced).toEqual(expected);
    branch.drop();
    expect(model.liveBranches).toBe(0);
  });
});
