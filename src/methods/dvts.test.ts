import { expect, test } from "vitest";
import { MethodBench } from "../testing/method-bench.js";
import beam from "./beam.js";
import dvts from "./dvts.js";
import stepBestOfN from "./step-best-of-n.js";

const same = { sampleTemperature: 1, sampleTopP: 1 };

test("one tree is step-level best-of-n", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const one = await new MethodBench(dvts, { trees: 1, expand: 4 }).run({ seed });
    const other = await new MethodBench(stepBestOfN, { samples: 4 }).run({ seed });
    expect(one.result.steps).toEqual(other.result.steps);
  }
});

test("trees keep to themselves: each ends in an answer, grown from a first step of its own", async () => {
  const { events, result } = await new MethodBench(dvts, { trees: 3, expand: 2, ...same }).run({ seed: 5 });
  const written = events.filter((event) => event.type === "step-written");
  expect(written.filter(({ parent }) => parent === "")).toHaveLength(6);
  const ends = written.filter(({ finish }) => finish === "stop");
  const starts = new Set(ends.map(({ node }) => node.split(".")[0]));
  expect(starts.size).toBe(3);
  expect(result.finish).toBe("stop");
});

test("the trees of one batch take as long as one, not one after another", async () => {
  const bench = new MethodBench(dvts, { trees: 4, expand: 2, ...same });
  const one = await new MethodBench(dvts, { trees: 1, expand: 2, ...same }).run({ ...bench.slow() });
  const four = await bench.run({ ...bench.slow() });
  expect(four.result.ledger.total.seconds).toBe(one.result.ledger.total.seconds);
});

test("a reward that overrates one first step sinks the beam, not the trees", async () => {
  // A trap: the wrong first step scores highest, and nothing right can follow it.
  const score = (_: string, steps: readonly string[]) => {
    const trapped = steps[0]!.startsWith("wrong,");
    if (trapped) return steps.length === 1 ? 1 : 0.2;
    return steps.at(-1)!.startsWith("right") ? 0.9 : 0.1;
  };
  const success = async (method: typeof beam | typeof dvts, options: object) => {
    const bench = new MethodBench(method as typeof beam, { ...options, ...same });
    let right = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { result } = await bench.run({ seed, roles: bench.world({ score }).roles });
      if (result.text.split("\n\n").every((step) => step.startsWith("right"))) right++;
    }
    return right / 60;
  };
  // No copies stay in a beam, so one prefix fills it only if it is one wide.
  const narrow = await success(beam, { width: 1, expand: 8 });
  const trees = await success(dvts, { trees: 4, expand: 2 });
  expect(trees).toBeGreaterThan(narrow);
});
