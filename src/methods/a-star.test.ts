import { describe, expect, test } from "vitest";
import { keyedUniform } from "../core/random.js";
import type { TraceEvent } from "../core/trace-event.js";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel, ScriptedReward, toyQuestion, toyWorld } from "../testing/index.js";
import aStar from "./a-star.js";
import draftAlone from "./draft.js";

const length = 5;

/** Steps that hardly ever come twice, and an end after the fifth. */
const draft = new ScriptedModel({
  law: {
    steps: (_, steps) =>
      Array.from({ length: 100 }, (_, index) => ({
        ...{ text: `${steps.length}.${index}`, probability: 0.01, end: steps.length === length - 1 },
      })),
  },
});

/** A reward for each prefix, drawn once and for all. */
const noise = (seed: number) =>
  new ScriptedReward({ score: (_, steps) => keyedUniform(seed, steps.join("|"), steps.length, "reward") });

const search = (options: object, seed = 0, reward = noise(seed)) =>
  carryOut({
    ...{ method: aStar, question: "?", roles: { draft, reward }, seed },
    options: { sampleTemperature: 1, ...options },
  });

/** g and f of every scored node, worked out from the trace alone. */
function costs(events: readonly TraceEvent[], edge: (before: number, after: number) => number) {
  const found = new Map<string, { g: number; f: number; h: number }>([["", { g: 0, h: 0, f: 0 }]]);
  for (const { node, value } of ofType(events, "step-scored")) {
    const parent = found.get(node.split(".").slice(0, -1).join("."))!;
    const h = 1 - value;
    const g = parent.g + edge(parent.h, h);
    found.set(node, { g, h, f: g + h });
  }
  return found;
}

/** The nodes in the order in which they were expanded. */
const expanded = (events: readonly TraceEvent[]) => [
  ...new Set(ofType(events, "step-written").map(({ parent }) => parent)),
];

const edges = {
  drop: (before: number, after: number) => Math.max(0, after - before),
  consistent: (before: number, after: number) => Math.max(0, before - after),
  uniform: () => 0.05,
};
const kinds = ["drop", "consistent", "uniform"] as const;

describe.each(kinds)("cost %s", (cost) => {
  test("card: one child is one plain sample, whatever the reward says", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { result } = await search({ cost, children: 1 }, seed);
      const plain = await carryOut({
        ...{ method: draftAlone, question: "?", roles: { draft }, seed, sampling: { temperature: 1 } },
      });
      expect(result.text).toBe(plain.result.text);
    }
  });

  test("card: f - g = h in [0, 1], g never falls on a path, and the lowest f is expanded", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { events } = await search({ cost, children: 3 }, seed);
      const known = costs(events, edges[cost]);
      for (const [id, { g, f, h }] of known) {
        if (id === "") continue;
        expect(h).toBeGreaterThanOrEqual(0);
        expect(h).toBeLessThanOrEqual(1);
        expect(f - g).toBeCloseTo(h, 12);
        expect(g).toBeGreaterThanOrEqual(known.get(id.split(".").slice(0, -1).join("."))!.g);
      }
      const open = new Set([""]);
      for (const id of expanded(events)) {
        const least = Math.min(...[...open].map((other) => known.get(other)!.f));
        expect(known.get(id)!.f).toBeCloseTo(least, 12);
        open.delete(id);
        for (const { node, parent, finish } of ofType(events, "step-written")) {
          if (parent === id && known.has(node) && !finish) open.add(node);
        }
      }
    }
  });
});

test("card: with cost consistent the popped f never falls", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const { events } = await search({ cost: "consistent", children: 3 }, seed);
    const known = costs(events, edges.consistent);
    const popped = expanded(events).map((id) => known.get(id)!.f);
    for (let index = 1; index < popped.length; index++) {
      expect(popped[index]).toBeGreaterThanOrEqual(popped[index - 1]! - 1e-12);
    }
  }
});

test("card: a constant reward with cost drop dives: one sample, passes = children x depth", async () => {
  const reward = new ScriptedReward({ score: () => 0.6 });
  for (let seed = 0; seed < 10; seed++) {
    const { result, events } = await search({ children: 3 }, seed, reward);
    expect(result).toMatchObject({ finish: "stop" });
    expect(expanded(events).map((id) => id.split(".").filter(Boolean).length)).toEqual([0, 1, 2, 3, 4]);
    expect(ofType(events, "step-written")).toHaveLength(3 * length);
    const duplicates = 3 * length - ofType(events, "step-scored").length;
    expect(duplicates).toBeLessThanOrEqual(2);
  }
});

test("card: passes = children kept; the tokens of all expanded children are counted", async () => {
  // Two words only, so that siblings repeat each other.
  const narrow = new ScriptedModel({
    law: {
      steps: (_, steps) =>
        ["yes", "no"].map((word) => ({
          ...{ text: `${word} ${steps.length}`, probability: 0.5, end: steps.length === 3 },
        })),
    },
  });
  for (let seed = 0; seed < 20; seed++) {
    const { result, events } = await carryOut({
      ...{ method: aStar, question: "?", roles: { draft: narrow, reward: noise(seed) }, seed },
      options: { children: 6, sampleTemperature: 1 },
    });
    const written = ofType(events, "step-written");
    const kept = new Set(written.map(({ parent, text }) => `${parent} ${text}`));
    expect(result.ledger.reward!.calls).toBe(kept.size);
    expect(result.ledger.draft!.decodeTokens).toBe(
      written.reduce((total, { tokens }) => total + tokens.length, 0),
    );
  }
});

test("card: with a perfect reward and enough children no wrong state is expanded", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = toyWorld(aStar, { score: (_, steps) => (steps.at(-1)!.startsWith("right") ? 1 : 0) });
    const { result, events } = await carryOut({
      ...{ method: aStar, question: toyQuestion, roles: world.roles, seed },
      options: { children: 16, sampleTemperature: 1 },
    });
    const texts = new Map(ofType(events, "step-written").map(({ node, text }) => [node, text]));
    for (const id of expanded(events)) expect(texts.get(id) ?? "right").toMatch(/^right/);
    expect(result.finish).toBe("stop");
  }
});

test("card: a returned goal ends by itself; an unfinished fallback is marked", async () => {
  const { result } = await search({ expansions: 2, children: 3 });
  expect(result.finish).toBe("stop");
  expect(result.steps.map(({ origin }) => origin)).toContain("fallback");
  for (let seed = 0; seed < 10; seed++) {
    const whole = await search({ children: 3 }, seed);
    expect(whole.result.finish).toBe("stop");
    expect(whole.result.steps.every(({ origin }) => origin === "draft")).toBe(true);
  }
});

test("with the whole budget spent the best goal is returned, never a worse one than the first", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const f = async (stop: string) => {
      const { result, events } = await search({ stop, expansions: 40, children: 3 }, seed);
      const end = ofType(events, "run-finished")[0]!.node;
      expect(result.finish).toBe("stop");
      return costs(events, edges.drop).get(end)!.f;
    };
    expect(await f("budget")).toBeLessThanOrEqual((await f("first-goal")) + 1e-12);
  }
});

test("a small frontier gives up its worst states and frees them", async () => {
  const { result, events } = await search({ maxFrontier: 2, children: 4 });
  expect(result.finish).toBe("stop");
  const before = events.findIndex((event) => event.type === "step-committed");
  expect(events.slice(0, before).filter((event) => event.type === "step-pruned").length).toBeGreaterThan(4);
});

test("a step that repeats its parent is a dead end, taken only where there is nothing else", async () => {
  const looping = new ScriptedModel({ law: { steps: () => [{ text: "again", probability: 1 }] } });
  const { result } = await carryOut({
    ...{ method: aStar, question: "?", roles: { draft: looping, reward: noise(1) } },
  });
  expect(result).toMatchObject({ text: "again\n\nagain", finish: "stalled" });
});
