import { describe, expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import { type RunRequest, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { ScriptedModel } from "../testing/index.js";
import { mostCalls, parseArchitecture } from "./archon/architecture.js";
import * as prompts from "./archon/prompts.js";
import { defaultSpace, searchArchitecture } from "./archon/search.js";
import archon from "./archon.js";
import draftAlone from "./draft.js";

/** Writes "good 3" or "bad 3" (any digit), the good ones with this probability. */
const writer = (good: number) =>
  new ScriptedModel({
    name: "writer",
    law: {
      steps: () =>
        Array.from({ length: 10 }, (_, number) => [
          { text: `good ${number}`, probability: good / 10, end: true },
          { text: `bad ${number}`, probability: (1 - good) / 10, end: true },
        ]).flat(),
    },
  });

/** Sees quality: ranks rightly or in reverse, passes good and bad answers by these rates, fuses to the first it is shown. */
function judge({ ranksRightly = 1, passesGood = 1, passesBad = 0, critiques = true } = {}): ScriptedModel {
  const shown = (question: string) =>
    [...question.matchAll(/^\[(\d+)\]\n(good|bad) (\d)/gm)].map((match) => ({
      number: match[1]!,
      good: match[2] === "good",
      text: `${match[2]} ${match[3]}`,
    }));
  const certain = (text: string) => [{ text, probability: 1, end: true }];
  const either = (probability: number, yes: string, no: string) =>
    [
      { text: yes, probability, end: true },
      { text: no, probability: 1 - probability, end: true },
    ].filter((choice) => choice.probability > 0);
  return new ScriptedModel({
    name: "judge",
    law: {
      steps: (question) => {
        const answers = shown(question);
        if (question.startsWith("Rank")) {
          const order = [...answers]
            .sort((a, b) => Number(b.good) - Number(a.good))
            .map(({ number }) => `[${number}]`);
          return either(ranksRightly, order.join(" > "), [...order].reverse().join(" > "));
        }
        if (question.startsWith("Judge each")) {
          const lines = answers.map(({ number, good }) => `[${number}] ${good ? "sound, see [1]" : "weak"}`);
          return certain(critiques ? lines.join("\n") : "I cannot.");
        }
        if (question.startsWith("Go through"))
          return certain(/Answer:\ngood/.test(question) ? "All right." : "Hm.");
        if (question.startsWith("Decide")) {
          return either(/Answer:\ngood/.test(question) ? passesGood : passesBad, "Correct", "Incorrect");
        }
        if (question.startsWith("Write between five")) return certain("1. It is good.\n2. It is short.");
        if (question.startsWith("Say of each"))
          return certain(/Answer:\ngood/.test(question) ? "1: pass\n2: pass" : "1: fail\n2: pass");
        if (!question.startsWith("Here are")) return certain("good 0");
        return certain(`fused from ${answers.map(({ text }) => text).join(", ")}`);
      },
    },
  });
}

async function decode(architecture: string, more: Partial<RunRequest> = {}, options: object = {}) {
  const run = startRun({
    method: archon,
    options: { architecture, sampleTemperature: 1, ...options },
    question: "Good or bad?",
    roles: { draft: writer(0.4), target: judge() },
    ...more,
  });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  const calls = events.filter(({ type }) => type === "step-written").length;
  const asked = events.flatMap((event) =>
    event.type === "root-begun" ? [event.messages.at(-1)!.content] : [],
  );
  return { result: await run.result, events, calls, asked };
}

describe("card: the rules of construction", () => {
  const good = [
    "generate",
    "generate*3+target.generate*2>critique>rank*2>fuse*3>fuse>verify",
    "generate*4 > test*1",
  ];
  test.each(good)("%s is built", (text) => expect(parseArchitecture(text).length).toBeGreaterThan(0));

  const bad = [
    ["fuse", "first layer"],
    ["generate>generate", "first layer"],
    ["generate+fuse", "one type"],
    ["generate>critique", "critique is for"],
    ["generate>critique>verify", "critique is for"],
    ["generate>rank+rank", "one rank"],
    ["generate>merge", "no component"],
    ["generate*0", "no component"],
    ["generate>critique*2>fuse", "no number"],
    ["", "no component"],
  ] as const;
  test.each(bad)('"%s" is refused: %s', (text, reason) =>
    expect(() => parseArchitecture(text)).toThrow(reason),
  );

  test("before anything is written", async () => {
    const draft = writer(0.5);
    const run = decode("generate>critique", { roles: { draft, target: judge() } });
    await expect(run).rejects.toMatchObject({ code: "invalid-option" });
    expect(draft.stage.calls).toBe(0);
  });
});

test("card: as many calls as the description says", async () => {
  for (const architecture of [
    "generate",
    "generate*4>rank*1",
    "generate*3+target.generate*2>critique>rank*2>fuse*3>fuse",
    "generate*4>test*2>fuse",
    "generate*3>verify",
    "generate*5>rank*9>verify*1",
  ]) {
    const { calls } = await decode(architecture, { roles: { draft: writer(1), target: judge() } });
    expect([architecture, calls]).toEqual([architecture, mostCalls(parseArchitecture(architecture))]);
  }
});

test("card: one generator is a plain call", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { result } = await decode("generate", { seed });
    const sampling = { temperature: 1 };
    const plain = startRun({
      method: draftAlone,
      question: "Good or bad?",
      roles: { draft: writer(0.4) },
      seed,
      sampling,
    });
    expect(result.text).toBe((await plain.result).text);
  }
});

describe("card: accuracy is the closed form of its parts", () => {
  const rate = async (architecture: string, roles: RunRequest["roles"], runs = 300) => {
    let good = 0;
    for (let seed = 0; seed < runs; seed++) {
      if ((await decode(architecture, { seed, roles })).result.text.startsWith("good")) good++;
    }
    return good / runs;
  };

  test("of ranked best-of-n: a ranker that is right with probability a", async () => {
    const [p, a] = [0.4, 0.8];
    const measured = await rate("generate*3>rank*1", {
      draft: writer(p),
      target: judge({ ranksRightly: a }),
    });
    const expected = a * (1 - (1 - p) ** 3) + (1 - a) * p ** 3;
    expect(Math.abs(measured - expected)).toBeLessThan(0.085);
  });

  test("of verified answers: the first that passes, or the first of all", async () => {
    const [p, c, s] = [0.4, 0.9, 0.3];
    const roles = { draft: writer(p), target: judge({ passesGood: c, passesBad: s }) };
    const passes = p * c + (1 - p) * s;
    const some = 1 - (1 - passes) ** 3;
    const expected = some * ((p * c) / passes) + (1 - some) * ((p * (1 - c)) / (1 - passes));
    expect(Math.abs((await rate("generate*3>verify", roles)) - expected)).toBeLessThan(0.085);
  });

  test("of tests: any good answer is found", async () => {
    const measured = await rate("generate*3>test*1", { draft: writer(0.4), target: judge() }, 300);
    expect(Math.abs(measured - (1 - 0.6 ** 3))).toBeLessThan(0.075);
  });
});

test("card: a ranking of more than there are drops none, and critiques are there for each or not at all", async () => {
  const { asked } = await decode("generate*3>critique>rank*9>fuse");
  const fusing = asked.at(-1)!;
  expect(fusing.match(/^Critique of answer \d:$/gm)).toHaveLength(3);
  expect(fusing.match(/^\[\d\]$/gm)).toHaveLength(3);
  const silent = await decode("generate*3>critique>fuse", {
    roles: { draft: writer(0.4), target: judge({ critiques: false }) },
  });
  expect(silent.asked.filter((prompt) => prompt.startsWith("Judge each"))).toHaveLength(3);
  expect(silent.asked.at(-1)).not.toContain("Critique of answer");
});

test("pitfall: what a fuser wrote has no critique of what it replaced, and places are shuffled", async () => {
  const { asked } = await decode("generate*2>critique>fuse*2>fuse");
  expect(asked.at(-1)).not.toContain("Critique of answer");
  const orders = new Set<string>();
  for (let seed = 0; seed < 12; seed++) {
    const { asked: prompts, events } = await decode("generate*3>rank*1", { seed });
    const first = events.find((event) => event.type === "step-written");
    orders.add(String(prompts[0]!.indexOf(first?.type === "step-written" ? first.text : "?")));
  }
  expect(orders.size).toBeGreaterThan(1);
});

describe("replies are read", () => {
  test("rankings with repeats, strangers and gaps", () => {
    expect(prompts.parseRanking("[2] > [2] > [9] > [1]", 4)).toEqual([1, 0, 2, 3]);
    expect(prompts.parseRanking("no idea", 2)).toEqual([0, 1]);
  });

  test("critiques that cite each other", () => {
    expect(prompts.parseCritiques("[1] better than [2]\n[2]: worse", 2)).toEqual([
      "better than [2]",
      "worse",
    ]);
    for (const text of ["[1] one", "[1] one\n[1] two", "[1] one\n[3] three", "", "[1]\n[2] two"]) {
      expect(prompts.parseCritiques(text, 2)).toBeNull();
    }
  });

  test("verdicts by their last word, tests by their lines", () => {
    expect(
      ["Correct", "It is not Correct: Incorrect", "incorrect? No, correct.", ""].map(prompts.parseVerdict),
    ).toEqual([true, false, true, false]);
    expect(prompts.parseTests("Here:\n1. One.\n2) Two.\n- three\nno")).toEqual(["One.", "Two.", "three"]);
    expect(prompts.parsePasses("1: pass\n2. failed\n3 - PASS\n9: pass", 3)).toBe(2);
  });
});

describe("card: the search for an architecture", () => {
  /** Likes four samples, one fusion and a ranking; noise by name. */
  const landscape = (seed: number) => async (architecture: string) => {
    const samples = Number(/^generate\*(\d+)/.exec(architecture)?.[1] ?? 0);
    const fusions = (architecture.match(/fuse/g) ?? []).length;
    const noise = 0.02 * keyedUniform(seed, architecture, 0, "noise");
    return (
      0.6 -
      0.02 * (samples - 4) ** 2 -
      0.1 * Math.abs(fusions - 1) +
      (/critique/.test(architecture) ? 0.1 : 0) +
      noise
    );
  };

  const space = {
    samples: [1, 2, 3, 4, 5, 6, 7, 8],
    targetSamples: [0, 1],
    fusionLayers: [0, 1, 2],
    fusers: [1, 2, 3],
    ranked: [0, 1],
    checked: [0],
  };

  test("tries none twice, none over the limit, and returns the best of what it tried", async () => {
    const tried: string[] = [];
    const trials = await searchArchitecture(
      async (architecture) => {
        tried.push(architecture);
        return landscape(1)(architecture);
      },
      { space, callLimit: 12, tries: 20, first: 6 },
    );
    expect(new Set(tried).size).toBe(20);
    for (const architecture of tried)
      expect(mostCalls(parseArchitecture(architecture))).toBeLessThanOrEqual(12);
    const scores = await Promise.all(tried.map(landscape(1)));
    expect(trials[0]!.score).toBe(Math.max(...scores));
    await expect(searchArchitecture(landscape(1), { callLimit: 0 })).rejects.toThrow("0 calls");
  });

  test("does better than random on most seeds, with equal tries", async () => {
    let [wins, losses] = [0, 0];
    for (let seed = 0; seed < 20; seed++) {
      const options = { space, callLimit: 20, tries: 15, first: 5, seed };
      const [bayesian] = await searchArchitecture(landscape(seed), options);
      const [random] = await searchArchitecture(landscape(seed), { ...options, strategy: "random" });
      if (bayesian!.score > random!.score) wins++;
      if (bayesian!.score < random!.score) losses++;
    }
    expect(wins).toBeGreaterThan(13);
    expect(losses).toBeLessThan(5);
  });

  test("every architecture of the space is one that can be built", async () => {
    const trials = await searchArchitecture(async () => 0, {
      callLimit: 1000,
      strategy: "random",
      tries: 5000,
      space: { ...defaultSpace, samples: [0, 1, 2, 3], targetSamples: [0, 1] },
    });
    for (const { architecture } of trials) expect(() => parseArchitecture(architecture)).not.toThrow();
    expect(trials.length).toBeGreaterThan(100);
  });
});
