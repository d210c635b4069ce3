import { expect, test } from "vitest";
import { greedy } from "./model.js";
import { headLaw, lawWithout, pick, processed } from "./sparse-law.js";

const law = { tokens: [2, 5, 9], probabilities: [0.2, 0.5, 0.3] };

test("a head is processed like a whole law of its tokens", () => {
  const candidates = [5, 9, 2].map((token) => ({
    token,
    logprob: Math.log(law.probabilities[law.tokens.indexOf(token)]! * 0.9),
  }));
  for (const sampling of [
    { ...greedy, temperature: 1 },
    { ...greedy, temperature: 0.5, topP: 0.7 },
    { ...greedy, temperature: 2, topK: 2 },
    greedy,
  ]) {
    const head = headLaw(candidates, sampling);
    const whole = processed(law, sampling);
    expect(head.tokens).toEqual(whole.tokens);
    for (const [index, p] of whole.probabilities.entries())
      expect(head.probabilities[index]).toBeCloseTo(p, 12);
  }
});

test("a law without all of its tokens is none", () => {
  expect(lawWithout(law, new Set([2, 5, 9]))).toBeNull();
  expect(lawWithout(law, new Set([5]))).toEqual({ tokens: [2, 9], probabilities: [0.4, 0.6] });
});

test("a token is picked by its part of [0, 1)", () => {
  expect([0, 0.19, 0.2, 0.69, 0.71, 0.999].map((uniform) => pick(law, uniform))).toEqual([2, 2, 5, 5, 9, 9]);
});
