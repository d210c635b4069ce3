import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrowingStates } from "./growing-states.js";
import type { StepStates } from "./step.js";

const state = (...values: number[]) => Float32Array.from(values);

describe("growing states", () => {
  it("are the state before the least probable token, the mean, and the state before the last", () => {
    const growing = new GrowingStates();
    growing.add(state(1, 0), -1);
    growing.add(state(2, 4), -3);
    growing.add(state(3, -1), -3);
    growing.add(state(4, 1), -0.5);
    expect(growing.over(4)).toEqual({ least: state(2, 4), mean: state(2.5, 1), end: state(4, 1) });
  });

  it("are missing for no token, and where a token came without a state", () => {
    const growing = new GrowingStates();
    expect(growing.over(0)).toBeUndefined();
    growing.add(state(1), -1);
    expect(growing.over(0)).toBeUndefined();
    expect(growing.over(1)).toBeDefined();
    expect(growing.over(2)).toBeUndefined();
  });

  it("are the same in stretches as token by token", () => {
    const token = fc.record({
      // Small whole numbers, so that means in single precision are exact enough to compare.
      values: fc.tuple(fc.integer({ min: -64, max: 64 }), fc.integer({ min: -64, max: 64 })),
      logprob: fc.integer({ min: -5, max: 0 }),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 30 }), (tokens) => {
        const whole = new GrowingStates();
        const joined = new GrowingStates();
        let part = new GrowingStates();
        let logprobs: number[] = [];
        for (const { values, logprob, cut } of tokens) {
          whole.add(state(...values), logprob);
          part.add(state(...values), logprob);
          logprobs.push(logprob);
          if (!cut) continue;
          joined.join(part.over(logprobs.length)!, logprobs);
          part = new GrowingStates();
          logprobs = [];
        }
        if (logprobs.length > 0) joined.join(part.over(logprobs.length)!, logprobs);
        const expected = whole.over(tokens.length)!;
        const got = joined.over(tokens.length)!;
        const parts = ({ least, end }: StepStates) => [least, end];
        expect(parts(got)).toEqual(parts(expected));
        for (const [index, mean] of expected.mean.entries()) expect(got.mean[index]).toBeCloseTo(mean, 4);
      }),
    );
  });
});
