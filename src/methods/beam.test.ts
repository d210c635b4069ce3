import { expect, test } from "vitest";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import { MethodBench } from "../testing/method-bench.js";
import beam from "./beam.js";
import bestOfN from "./best-of-n.js";
import draftAlone from "./draft.js";
import stepBestOfN from "./step-best-of-n.js";

const same = { sampleTemperature: 1, sampleTopP: 1 };

/** Two steps; "low" starts look worse but lead to the only perfect end. */
const garden = () => ({
  draft: new ScriptedModel({
    law: {
      steps: (_, steps) =>
        steps.length === 0
          ? [
              { text: "high\n\n", probability: 0.5 },
              { text: "low\n\n", probability: 0.5 },
            ]
          : [
              { text: steps[0]!.startsWith("low") ? "perfect" : "poor", probability: 0.5, end: true },
              { text: "poor indeed", probability: 0.5, end: true },
            ],
    },
  }),
  reward: new ScriptedReward({
    score: (_, steps) => {
      const last = steps.at(-1)!;
      return last.startsWith("high") ? 0.8 : last.startsWith("low") ? 0.6 : last === "perfect" ? 1 : 0.1;
    },
  }),
});

test("bag-of-tricks card: one prefix and one step is the plain sample", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { result } = await new MethodBench(beam, { width: 1, expand: 1, ...same }).run({ seed });
    const plain = await new MethodBench(draftAlone, {}).run({ seed });
    expect(result.text).toBe(plain.result.text);
    expect(result.ledger.draft).toEqual(plain.result.ledger.draft);
  }
});

test("of width one it is step-level best-of-n", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const one = await new MethodBench(beam, { width: 1, expand: 4 }).run({ seed });
    const other = await new MethodBench(stepBestOfN, { samples: 4 }).run({ seed });
    expect(one.result.steps).toEqual(other.result.steps);
  }
});

test("a prefix that looks worse survives in a wide beam and wins by the current score, not the highest ever seen", async () => {
  const found = async (width: number, seed: number) => {
    const bench = new MethodBench(beam, { width, expand: 12, ...same });
    return (await bench.run({ seed, roles: garden() })).result.text;
  };
  for (let seed = 0; seed < 20; seed++) {
    expect(await found(1, seed)).toContain("poor");
    expect(await found(2, seed)).toBe("low\n\nperfect");
  }
});

test("a beam holds no copies", async () => {
  const bench = new MethodBench(beam, { width: 3, expand: 8, aggregation: "min", ...same });
  for (let seed = 0; seed < 20; seed++) {
    const { events, result } = await bench.run({ seed });
    const written = events.filter((event) => event.type === "step-written");
    const grown = [...new Set(written.map(({ parent }) => parent))];
    const textOf = new Map(written.map(({ node, parent, text }) => [node, `${parent} ${text}`]));
    // Eight steps after each of three prefixes, as many at first; no two prefixes were the same.
    for (const parent of grown) {
      const steps = written.filter((other) => other.parent === parent);
      expect(steps).toHaveLength(parent === "" ? 24 : 8);
    }
    const prefixes = grown.filter((parent) => parent !== "").map((parent) => textOf.get(parent));
    expect(new Set(prefixes).size).toBe(prefixes.length);
    expect(grown.length).toBeLessThanOrEqual(1 + 3 * 3);
    expect(result.finish).toBe("stop");
  }
});

test("at equal samples it beats choosing among whole answers where single steps can be judged", async () => {
  const success = async (method: typeof beam | typeof bestOfN, options: object) =>
    new MethodBench(method as typeof beam, { ...options, ...same }).success({}, 100);
  const [searched, chosen] = [
    await success(beam, { width: 2, expand: 4 }),
    await success(bestOfN, { samples: 8, aggregation: "min" }),
  ];
  expect(searched).toBeGreaterThan(chosen);
});
