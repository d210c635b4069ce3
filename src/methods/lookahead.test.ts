import { expect, test } from "vitest";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import { MethodBench } from "../testing/method-bench.js";
import beam from "./beam.js";
import lookahead from "./lookahead.js";

const same = { sampleTemperature: 1, sampleTopP: 1 };

test("compute-optimal card: with nothing ahead it is beam search", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const one = await new MethodBench(lookahead, { width: 2, expand: 3, ahead: 0 }).run({ seed });
    const other = await new MethodBench(beam, { width: 2, expand: 3 }).run({ seed });
    expect(one.result.steps).toEqual(other.result.steps);
  }
});

test("a step is valued by where it leads: a bad beginning with a good end is kept", async () => {
  const roles = () => ({
    draft: new ScriptedModel({
      law: {
        steps: (_, steps) => {
          if (steps.length === 0) {
            return ["shiny\n\n", "plain\n\n"].map((text) => ({ text, probability: 0.5 }));
          }
          return [{ text: steps[0]!.startsWith("plain") ? "gold" : "lead", probability: 1, end: true }];
        },
      },
    }),
    reward: new ScriptedReward({
      score: (_, steps) => ({ shiny: 0.9, plain: 0.2, gold: 1, lead: 0 })[steps.at(-1)!.trim()],
    }),
  });
  for (let seed = 0; seed < 10; seed++) {
    const found = async (ahead: number) => {
      const bench = new MethodBench(lookahead, { width: 1, expand: 12, ahead, ...same });
      return (await bench.run({ seed, roles: roles() })).result.text;
    };
    expect(await found(0)).toBe("shiny\n\nlead");
    expect(await found(1)).toBe("plain\n\ngold");
  }
});

test("roll-outs are greedy, paid for, and not in the answer", async () => {
  const bench = new MethodBench(lookahead, { width: 1, expand: 2, ahead: 2, ...same });
  const { result, events } = await bench.run({ seed: 2 });
  const written = events.filter((event) => event.type === "step-written");
  // Four moves of two candidates; roll-outs of two steps, less what the end cuts off: 2 x (2 + 2 + 1 + 0).
  expect(written).toHaveLength(8 + 10);
  const { decodeTokens, discardedTokens } = result.ledger.draft!;
  expect(decodeTokens - discardedTokens).toBe(result.steps.reduce((sum, { tokens }) => sum + tokens, 0));
});
