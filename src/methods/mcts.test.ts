import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node } from "../core/search.js";
import { toySuccess } from "../testing/index.js";
import { MethodBench } from "../testing/method-bench.js";
import draftAlone from "./draft.js";
import mcts, { type State, select } from "./mcts.js";

const same = { sampleTemperature: 1, sampleTopP: 1 };

const state = (visits: number, total: number, children: State[] = []): State => ({
  node: {} as Node,
  value: visits === 0 ? total : total / visits,
  visits,
  total,
  children,
});

test("one simulation of one step per move is the plain sample", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { result } = await new MethodBench(mcts, { simulations: 1, expand: 1, ...same }).run({ seed });
    const plain = await new MethodBench(draftAlone, {}).run({ seed });
    expect(result.text).toBe(plain.result.text);
  }
});

test("bag-of-tricks card: the children's visits are their parent's less one, and a move goes to the most visited", async () => {
  for (const simulations of [1, 2, 5, 9]) {
    const bench = new MethodBench(mcts, { simulations, expand: 3, ...same });
    for (let seed = 0; seed < 10; seed++) {
      const { events } = await bench.run({ seed });
      // Every simulation of an unfinished leaf grows it once: the tree that was grown shows what was visited.
      const written = events.filter((event) => event.type === "step-written");
      const grown = new Set(written.map(({ parent }) => parent));
      const committed = events.filter((event) => event.type === "step-committed").map(({ node }) => node);
      expect(committed.length).toBeGreaterThan(0);
      for (const parent of grown) expect(written.filter((other) => other.parent === parent)).toHaveLength(3);
      expect(grown.size).toBeLessThanOrEqual(simulations * committed.length);
    }
  }
});

test("bag-of-tricks card: without exploration it is greedy in the mean value", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.double({ min: 0, max: 1, noNaN: true })), {
        minLength: 1,
        maxLength: 8,
      }),
      (pairs) => {
        const children = pairs.map(([visits, mean]) => state(visits, visits === 0 ? mean : mean * visits));
        const visits = 1 + pairs.reduce((sum, [count]) => sum + count, 0);
        const chosen = select(state(visits, 0, children), { exploration: 0, base: 0 });
        const means = children.map(({ visits: count, total }) => (count === 0 ? total : total / count));
        expect(children.indexOf(chosen)).toBe(means.indexOf(Math.max(...means)));
      },
    ),
  );
});

test("the score is the card's: Q + (c_puct + log((N + c_base + 1) / c_base)) sqrt(N) / (1 + n)", () => {
  const [few, many] = [state(1, 0.2), state(8, 6.4)];
  const parent = state(10, 0, [many, few]);
  const weight = (exploration: number, base: number) => exploration + Math.log((10 + base + 1) / base);
  const scoreAt = (child: State, exploration: number, base: number) =>
    child.total / child.visits + (weight(exploration, base) * Math.sqrt(10)) / (1 + child.visits);
  for (const exploration of [0, 0.2, 0.4, 0.6, 1.25]) {
    for (const base of [1, 100, 19652]) {
      const expected = scoreAt(many, exploration, base) >= scoreAt(few, exploration, base) ? many : few;
      expect(select(parent, { exploration, base })).toBe(expected);
    }
  }
});

test("more simulations find better answers", async () => {
  // A reward of the whole prefix: nothing that follows a wrong step is worth much.
  const score = (_: string, steps: readonly string[]) =>
    steps.every((step) => step.startsWith("right")) ? 0.9 : 0.1;
  const success = async (simulations: number) => {
    const bench = new MethodBench(mcts, { simulations, expand: 3, exploration: 0.2, ...same });
    let right = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { result } = await bench.run({ seed, roles: bench.world({ score }).roles });
      if (toySuccess(result.text)) right++;
    }
    return right / 60;
  };
  const [few, many] = [await success(1), await success(16)];
  expect(many).toBeGreaterThan(few + 0.1);
});
