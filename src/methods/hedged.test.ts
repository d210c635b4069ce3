import { describe, expect, test } from "vitest";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel } from "../testing/index.js";
import draftAlone from "./draft.js";
import hedged from "./hedged.js";

const answers = ["one", "two", "three", "four"];
const law = [0.4, 0.25, 0.2, 0.15];

const draft = new ScriptedModel({
  pieces: answers,
  law: {
    steps: (question) =>
      answers.map((text, index) => ({
        text: question.includes("language: Chinese") ? `[zh] ${text}` : text,
        ...{ probability: law[index]!, end: true },
      })),
  },
});

/** A judge that says whatever this makes of its prompt. */
const judge = (verdict: (prompt: string) => string) =>
  new ScriptedModel({ law: { steps: (prompt) => [{ text: verdict(prompt), probability: 1, end: true }] } });

/** The labelled answers in a prompt of chops. */
const listed = (prompt: string) =>
  [...prompt.matchAll(/^Answer ([A-Z]):\n(.*)$/gm)].map(([, label, text]) => ({
    label: label!,
    text: text!,
  }));

/** Says digit 9 where both answers name the same number. */
const pairwise = judge((prompt) => {
  const [, one, other] = /First answer:\n(.*)\n\nSecond answer:\n(.*)\n/.exec(prompt)!;
  return one!.replace("[zh] ", "") === other!.replace("[zh] ", "") ? "9" : "0";
});

const run = (options: object, seed = 0, target = judge(() => "no idea")) =>
  carryOut({
    ...{ method: hedged, question: "?", roles: { draft, target }, seed },
    options: { sampleTemperature: 1, ...options },
  });

type Ran = Awaited<ReturnType<typeof run>>;

/** The pool, greedy first. */
const pool = ({ events }: Ran) =>
  ofType(events, "step-written").flatMap(({ role, node, text }) =>
    role === "draft" && !node.startsWith("~") ? [text] : [],
  );
const judged = ({ events }: Ran) => ofType(events, "step-written").filter(({ origin }) => origin === "judge");

test("hedged card: exactly one greedy answer; alone it is the answer, without a judge", async () => {
  const first = answers[0]!;
  const differing = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const ran = await run({ samples: 5 }, seed);
    expect(pool(ran)).toHaveLength(5);
    expect(pool(ran)[0]).toBe(first);
    differing.add(pool(ran).slice(1).join());
    const alone = await run({ samples: 1 }, seed);
    const plain = await carryOut({ method: draftAlone, question: "?", roles: { draft }, seed });
    expect(alone.result.text).toBe(plain.result.text);
    expect(judged(alone)).toHaveLength(0);
    expect(pool(await run({ samples: 5 }, seed))).toEqual(pool(ran));
  }
  expect(differing.size).toBeGreaterThan(20);
});

describe("hedged card: chops", () => {
  test("is one judge call, which sees every answer under a label of its own", async () => {
    const ran = await run({ samples: 5 });
    expect(judged(ran)).toHaveLength(1);
    const prompt = ofType(ran.events, "root-begun")[0]!.messages[0]!.content;
    expect(listed(prompt).map(({ label }) => label)).toEqual(["A", "B", "C", "D", "E"]);
    expect(
      listed(prompt)
        .map(({ text }) => text)
        .sort(),
    ).toEqual([...pool(ran)].sort());
  });

  test("takes the answer under the label named last, whatever the order of labels", async () => {
    const wanted = judge((prompt) => {
      const found = listed(prompt).find(({ text }) => text === "three");
      return `Best: A is tempting.\nBest: ${found?.label ?? "none"}`;
    });
    let seen = 0;
    for (let seed = 0; seed < 40; seed++) {
      for (const shuffles of [1, 3]) {
        const ran = await run({ samples: 5, shuffles }, seed, wanted);
        expect(judged(ran)).toHaveLength(shuffles);
        if (!pool(ran).includes("three")) continue;
        expect(ran.result.text).toBe("three");
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(20);
  });

  test.each(["no idea", "Best: Z", "Best: ?", ""])(
    "falls back on the greedy answer after %j",
    async (text) => {
      for (let seed = 0; seed < 10; seed++) {
        expect(
          (
            await run(
              {},
              seed,
              judge(() => text),
            )
          ).result.text,
        ).toBe(answers[0]);
      }
    },
  );

  test("labels are shuffled: a judge that loves A does not always take the same place", async () => {
    const places = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const ran = await run(
        { samples: 4 },
        seed,
        judge(() => "Best: A"),
      );
      const [finished] = ofType(ran.events, "run-finished");
      places.add(Number(finished!.node));
    }
    expect(places).toEqual(new Set([0, 1, 2, 3]));
  });
});

test("hedged card: the greedy answer lifts the pool's worst, costs some of its best, and bounds an oracle from below", async () => {
  const quality = [0.6, 0.9, 0.3, 0.1];
  const runs = 150;
  const mean = { hedged: { least: 0, most: 0 }, sampled: { least: 0, most: 0 } };
  for (let seed = 0; seed < runs; seed++) {
    const qualities = pool(await run({ samples: 6 }, seed)).map((text) => quality[answers.indexOf(text)]!);
    // The same number of answers with and without the greedy one.
    for (const [kind, members] of [
      ["hedged", qualities.slice(0, 5)],
      ["sampled", qualities.slice(1)],
    ] as const) {
      mean[kind].least += Math.min(...members) / runs;
      mean[kind].most += Math.max(...members) / runs;
    }
    expect(Math.max(...qualities.slice(0, 5))).toBeGreaterThanOrEqual(quality[0]!);
  }
  expect(mean.hedged.least).toBeGreaterThan(mean.sampled.least);
  expect(mean.hedged.most).toBeLessThan(mean.sampled.most);
});

/** The text that most of the pool agree with, the first of equals. */
const majority = (texts: readonly string[]) => {
  const counts = texts.map((text) => texts.filter((other) => other === text).length);
  return texts[counts.indexOf(Math.max(...counts))]!;
};

describe("hedged card: consensus", () => {
  test("with exact agreement mbr is the majority vote, and x-mbr without evidence is mbr", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const exact = { select: "mbr", utility: "exact" };
      const ran = await run(exact, seed);
      expect(ran.result.text).toBe(majority(pool(ran)));
      expect((await run({ ...exact, select: "x-mbr", evidence: 0 }, seed)).result.text).toBe(ran.result.text);
      expect(judged(ran)).toHaveLength(0);
    }
  });

  test("a judge's digits: N (N - 1) calls, and N x M more with evidence; only the pool can win", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const mbr = await run({ select: "mbr", samples: 4 }, seed, pairwise);
      expect(judged(mbr)).toHaveLength(4 * 3);
      expect(mbr.result.text).toBe(majority(pool(mbr)));
      const across = await run({ select: "x-mbr", samples: 4, evidence: 3 }, seed, pairwise);
      expect(judged(across)).toHaveLength(4 * 3 + 4 * 3);
      expect(pool(across)).toContain(across.result.text);
      const abroad = ofType(across.events, "step-written").filter(
        ({ role, node }) => role === "draft" && node.startsWith("~"),
      );
      expect(abroad).toHaveLength(3);
      for (const { text } of abroad) expect(text).toMatch(/^\[zh\]/);
    }
  });

  test("evidence in another language can change what wins", async () => {
    let changed = 0;
    for (let seed = 0; seed < 40; seed++) {
      const mbr = await run({ select: "mbr", samples: 3 }, seed, pairwise);
      const across = await run({ select: "x-mbr", samples: 3, evidence: 5 }, seed, pairwise);
      expect(pool(across)).toEqual(pool(mbr));
      if (across.result.text !== mbr.result.text) changed++;
    }
    expect(changed).toBeGreaterThan(0);
  });
});

test("a judge is shown the end of a long answer, and told that it was cut", async () => {
  const wordy = new ScriptedModel({
    law: { steps: () => [{ text: `${"so it goes, ".repeat(20)}42`, probability: 1, end: true }] },
  });
  const { events } = await carryOut({
    ...{ method: hedged, question: "?", roles: { draft: wordy, target: judge(() => "") } },
    options: { excerpt: 16, samples: 2 },
  });
  const prompt = ofType(events, "root-begun")[0]!.messages[0]!.content;
  expect(listed(prompt).map(({ text }) => text)).toEqual(Array(2).fill("[cut] , so it goes, 42"));
});
