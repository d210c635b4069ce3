import { describe, expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { type RunRequest, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import bestOfN from "./best-of-n.js";
import iterative from "./iterative.js";

const truth = "101101001110";
const share = (text: string) => [...text].filter((bit, index) => bit === truth[index]).length / truth.length;

/** Random bits; where the best answer so far is shown, its bits, each flipped with probability 0.1. */
function proposer(): ScriptedModel {
  return new ScriptedModel({
    law: {
      tokens: ({ question, text }) => {
        if (text.length === truth.length) return [{ text: "", probability: 1 }];
        const best = /best answer so far[^\n]*\n([01]+)/.exec(question)?.[1];
        const one = best ? (best[text.length] === "1" ? 0.9 : 0.1) : 0.5;
        return [
          { text: "1", probability: one },
          { text: "0", probability: 1 - one },
        ];
      },
    },
  });
}

/** The share of right bits, with noise that belongs to the text. */
const verifier = (noise = 0, seed = 0) =>
  new ScriptedReward({
    score: (_, [text]) => {
      const error = noise * (keyedUniform(seed, text!, 0, "noise") - 0.5);
      return Math.min(1, Math.max(0, share(text!) + error));
    },
  });

async function decode(options: unknown, more: Partial<RunRequest> = {}) {
  const run = startRun({
    method: iterative,
    options: { sampleTemperature: 1, targetScore: 2, ...(options as object) },
    question: "Which bits?",
    roles: { draft: proposer(), reward: verifier() },
    ...more,
  });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  const prompts = events.flatMap((event) =>
    event.type === "root-begun" ? [event.messages.at(-1)!.content] : [],
  );
  const scores = events.flatMap((event) => (event.type === "step-scored" ? [event.value] : []));
  return { result: await run.result, events, prompts, scores };
}

test("card: the best score never falls, and the result's is the greatest ever given", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { result, scores, prompts } = await decode({ candidates: 3, rounds: 5 }, { seed });
    expect(share(result.text)).toBeCloseTo(Math.max(...scores), 12);
    const shown = prompts.map((prompt) => Number(/best answer so far \(score ([\d.]+)/.exec(prompt)![1]));
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
  }
});

test("card: one round is best-of-k, and with nothing shown it is best-of-(k x rounds) in law", async () => {
  const mean = async (run: (seed: number) => Promise<string>, runs = 300) => {
    let sum = 0;
    for (let seed = 0; seed < runs; seed++) sum += share(await run(seed));
    return sum / runs;
  };
  const best = (samples: number) => async (seed: number) => {
    const options = { samples, sampleTemperature: 1, sampleTopP: 1 };
    const roles = { draft: proposer(), reward: verifier() };
    return (await startRun({ method: bestOfN, options, question: "Which bits?", roles, seed }).result).text;
  };
  const round = async (seed: number) => (await decode({ candidates: 4, rounds: 1 }, { seed })).result.text;
  for (let seed = 0; seed < 20; seed++) expect(await round(seed)).toBe(await best(4)(seed));
  const blind = await mean(
    async (seed) => (await decode({ candidates: 4, rounds: 3, shown: "none" }, { seed })).result.text,
  );
  // Three standard errors of either mean are 0.02.
  expect(Math.abs(blind - (await mean(best(12))))).toBeLessThan(0.03);
});

test("card: it beats best-of-n at equal calls, and the lead shrinks as the verifier gets noisier", async () => {
  const quality = async (shown: string, noise: number) => {
    let sum = 0;
    for (let seed = 0; seed < 150; seed++) {
      const roles = { draft: proposer(), reward: verifier(noise, seed) };
      sum += share((await decode({ candidates: 3, rounds: 12, shown }, { seed, roles })).result.text);
    }
    return sum / 150;
  };
  const lead = async (noise: number) => (await quality("best", noise)) - (await quality("none", noise));
  const [sure, noisy] = [await lead(0), await lead(8)];
  expect(sure).toBeGreaterThan(0.04);
  expect(noisy).toBeLessThan(sure / 2);
});

test("card: never more calls than k x rounds; a target that is reached ends it, and so does patience", async () => {
  const written = (events: readonly TraceEvent[]) =>
    events.filter(({ type }) => type === "step-written").length;
  const full = await decode({ candidates: 2, rounds: 4 });
  expect(written(full.events)).toBe(8);
  const early = await decode({ candidates: 2, rounds: 4, targetScore: 0.1 });
  expect([written(early.events), early.prompts.length]).toEqual([2, 0]);
  const impatient = await decode({ candidates: 1, rounds: 30, patience: 1 }, { seed: 3 });
  expect(written(impatient.events)).toBeLessThan(30);
});

test("card: a random verifier gains nothing, while the score that it reports still rises", async () => {
  let [quality, one, reported, first] = [0, 0, 0, 0];
  const runs = 200;
  for (let seed = 0; seed < runs; seed++) {
    const random = new ScriptedReward({ score: (_, [text]) => keyedUniform(seed, text!, 0, "whim") });
    const { result, scores } = await decode(
      { candidates: 3, rounds: 3, shown: "none" },
      { seed, roles: { draft: proposer(), reward: random } },
    );
    quality += share(result.text) / runs;
    one += 0.5 / runs;
    reported += Math.max(...scores) / runs;
    first += scores[0]! / runs;
  }
  expect(Math.abs(quality - one)).toBeLessThan(0.05);
  expect(reported - first).toBeGreaterThan(0.3);
});

describe("what is shown", () => {
  const answers = {
    check: (text: string) => ({
      score: share(text),
      feedback: `${"bit 3 looks odd. ".repeat(200)}${text.length} bits`,
    }),
  };

  test("card: the checker's own words, cut short, and never the reference", async () => {
    const { prompts, events } = await decode({ candidates: 2, rounds: 3 }, { answers });
    expect(prompts).toHaveLength(2);
    for (const prompt of prompts) {
      expect(prompt).toMatch(/^Which bits\?\n\n---/);
      expect(prompt).toContain("bit 3 looks odd.");
      expect(prompt.length).toBeLessThan(3000);
    }
    expect(events.some(({ type }) => type === "step-scored")).toBe(false);
  });

  test("the best, or the best and the worst, or nothing", async () => {
    const first = async (shown: string) =>
      (await decode({ candidates: 6, rounds: 2, shown }, { seed: 1 })).prompts[0];
    expect(await first("best-and-worst")).toMatch(/best answer so far.*worst answer so far/s);
    expect(await first("best")).not.toContain("worst answer");
    expect(await first("none")).toBeUndefined();
  });

  test("card: an answer that was copied is not verified twice", async () => {
    const stubborn = new ScriptedModel({
      law: { steps: () => [{ text: truth, probability: 1, end: true }] },
    });
    const reward = verifier();
    await decode({ candidates: 3, rounds: 3 }, { roles: { draft: stubborn, reward } });
    expect(reward.passes).toBe(1);
  });
});
