import { describe, expect, test } from "vitest";
import { type FeatureName, featureNames, featuresOf, isState, needsOf, widthOf } from "./features.js";
import type { StepReadings } from "./readings.js";

const states = (start: number) => ({
  least: Float32Array.of(start, start + 1),
  mean: Float32Array.of(start + 2, start + 3),
  end: Float32Array.of(start + 4, start + 5),
});

const readings: StepReadings = {
  step: {
    text: "a",
    tokens: [1, 2, 3],
    logprobs: [-0.5, -2, -0.5],
    entropies: [0.25, 1.5, 0.5],
    stop: "end",
  },
  index: 3,
  earlier: [
    { logprobs: [-1, -0.25], entropies: [0.5, 0.25] },
    { logprobs: [-0.25], entropies: [0.75] },
  ],
  likelihoods: { draft: [-1, -1], target: [-4, -2] },
  typicals: { draft: -0.5, target: -3 },
  states: { draft: states(0), target: states(10) },
  judges: { draft: 0.75, target: 1 },
};

const read = (...names: FeatureName[]) => [...featuresOf(names, readings)];
const number = (name: FeatureName) => read(name)[0];

test("figures are the step's own", () => {
  expect(read("statistic:least", "statistic:mean", "statistic:sum", "statistic:tokens")).toEqual([
    -2, -1, -3, 3,
  ]);
  expect(read("statistic:entropy", "statistic:mean-entropy", "statistic:second-entropy")).toEqual([
    1.5, 0.75, 0.5,
  ]);
  expect(number("statistic:doubt")).toBeCloseTo(Math.log(1 - Math.exp(-2)), 6);
});

test("place is how far in, and whether it ends there", () => {
  expect(number("place:index")).toBeCloseTo(Math.log(4), 6);
  expect(number("place:ends")).toBe(1);
});

test("the chain's figures are of all earlier tokens together, and certain where there are none", () => {
  expect(read("chain:sum", "chain:mean", "chain:mean-entropy")).toEqual([-1.5, -0.5, 0.5]);
  expect(number("chain:doubt")).toBeCloseTo(Math.log(1 - Math.exp(-1)), 5);
  const first = { ...readings, index: 0, earlier: [] };
  expect([...featuresOf(["chain:sum", "chain:mean", "chain:mean-entropy"], first)]).toEqual([0, 0, 0]);
  expect(featuresOf(["chain:doubt"], first)[0]).toBeLessThan(-15);
});

test("likelihoods are of the reader's tokens, gaps against the writer's", () => {
  expect(read("likelihood:target:least", "likelihood:target:sum", "likelihood:draft:mean")).toEqual([
    -4, -6, -1,
  ]);
  // Means and sums each of their own tokens: the vocabularies may differ.
  expect(read("gap:target:mean", "gap:target:sum", "gap:draft:sum")).toEqual([-2, -3, 1]);
});

test("a judge's log-odds are bounded", () => {
  expect(number("judge:draft")).toBeCloseTo(Math.log(3), 6);
  expect(number("judge:target")).toBe(10);
});

test("inputs stand in the order of the names, states whole", () => {
  expect(read("state:target:end", "statistic:least", "state:draft:mean")).toEqual([14, 15, -2, 2, 3]);
});

test.each(featureNames)("%s says what it needs, and reads nothing else", (name) => {
  const { likelihoods, typicals, states, judges } = needsOf([name]);
  const pick = <Value>(roles: readonly ("draft" | "target")[], from: Record<string, Value>) =>
    Object.fromEntries(roles.map((role) => [role, from[role]!]));
  const least: StepReadings = {
    ...readings,
    likelihoods: pick(likelihoods, readings.likelihoods as Record<string, readonly number[]>),
    typicals: pick(typicals, readings.typicals as Record<string, number>),
    states: pick(states, readings.states as Record<string, ReturnType<typeof Object>>),
    judges: pick(judges, readings.judges as Record<string, number>),
  };
  const inputs = featuresOf([name], least);
  expect(inputs.length).toBe(widthOf(name, { draft: 2, target: 2 }));
  expect(inputs).toEqual(featuresOf([name], readings));
  if (likelihoods.length + typicals.length + states.length + judges.length > 0) {
    const none = { ...readings, likelihoods: {}, typicals: {}, states: {}, judges: {} };
    expect(() => featuresOf([name], none)).toThrow(expect.objectContaining({ code: "reward-failed" }));
  }
});

test("a step without a token is sure", () => {
  const nothing = { ...readings.step, text: "", tokens: [], logprobs: [], entropies: [] };
  const empty = { ...readings, step: nothing, likelihoods: { target: [] } };
  expect([...featuresOf(["statistic:least", "statistic:entropy", "likelihood:target:sum"], empty)]).toEqual([
    0, 0, 0,
  ]);
});

describe("refused", () => {
  test("a step without figures", () => {
    const bare = { ...readings, step: { ...readings.step, logprobs: [], entropies: [] } };
    expect(() => featuresOf(["statistic:least"], bare)).toThrow(/probabilities/);
    expect(() => featuresOf(["gap:target:mean"], bare)).toThrow(/probabilities/);
    expect(() => featuresOf(["statistic:entropy"], bare)).toThrow(/entropies/);
    expect(featuresOf(["likelihood:target:least"], bare)[0]).toBe(-4);
  });

  test("a state of unknown width", () => {
    expect(featureNames.filter(isState)).toHaveLength(6);
    expect(() => widthOf("state:target:end", { draft: 2 })).toThrow(
      expect.objectContaining({ code: "reward-invalid" }),
    );
  });
});
