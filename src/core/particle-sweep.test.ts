import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import { defineMethod, type Method } from "./method.js";
import { type Particle, type ParticleOptions, particleOptions, sweepParticles } from "./particle-sweep.js";
import { startRun } from "./run.js";
import { pathSteps } from "./search.js";
import type { TraceEvent } from "./trace-event.js";

const letters = ["a", "b", "c"];
const prior = [0.5, 0.3, 0.2];
const depth = 3;
const schema = z.object(particleOptions);

const model = new ScriptedModel({
  law: {
    steps: (_, steps) =>
      letters.map((letter, index) => ({
        // A step equal to the one before it would end the answer.
        text: `${letter}${steps.length}`,
        probability: prior[index]!,
        end: steps.length === depth - 1,
      })),
  },
});

/** Depends on the whole prefix, so that the posterior of a step does not factor. */
function rewardOf(steps: readonly string[]): number {
  const path = steps.map((step) => letters.indexOf(step[0]!));
  return 0.1 + 0.8 * ((path.reduce((sum, index) => 3 * sum + index + 1, 0) % 7) / 6);
}

const frame = {
  ...{ name: "filter", essence: "", kind: "step" as const, source: "", schema },
  needs: { draft: ["text" as const], reward: true as const },
};

type Score = (steps: readonly string[]) => number;

async function carryOut(
  method: Method<typeof schema>,
  options: Partial<ParticleOptions>,
  seed: number,
  score: Score,
): Promise<TraceEvent[]> {
  const reward = new ScriptedReward({ score: (_, steps) => score(steps) });
  const roles = { draft: model, reward };
  const run = startRun({ method, options: { sampleTemperature: 1, ...options }, question: "?", roles, seed });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  await run.result;
  return events;
}

/** One filter's final particles, all of them. */
async function filter(
  options: Partial<ParticleOptions>,
  { seed = 0, score = rewardOf as Score } = {},
): Promise<{ particles: Particle[]; events: TraceEvent[] }> {
  let particles: Particle[] = [];
  const method = defineMethod({
    ...frame,
    async run(search, settings) {
      particles = await sweepParticles(search, settings, {
        ...{ references: [], found: [], iteration: 1, last: true },
      });
      return search.finish(particles[0]!.node);
    },
  });
  return { events: await carryOut(method, options, seed, score), particles };
}

const texts = (particles: readonly Particle[]) =>
  particles.map(({ node }) =>
    pathSteps(node)
      .map((step) => step.text[0])
      .join(""),
  );

/** Every answer with its probability under a weight per prefix. */
function law(weight: (steps: readonly string[]) => number): Map<string, number> {
  let open: { steps: string[]; mass: number }[] = [{ steps: [], mass: 1 }];
  for (let level = 0; level < depth; level++) {
    open = open.flatMap(({ steps, mass }) =>
      letters.map((letter, index) => {
        const longer = [...steps, letter];
        return { steps: longer, mass: mass * prior[index]! * weight(longer) };
      }),
    );
  }
  const total = open.reduce((sum, { mass }) => sum + mass, 0);
  return new Map(open.map(({ steps, mass }) => [steps.join(""), mass / total]));
}

function variation(drawn: readonly string[], exact: Map<string, number>): number {
  let distance = 0;
  for (const [text, p] of exact) {
    distance += Math.abs(p - drawn.filter((other) => other === text).length / drawn.length) / 2;
  }
  return distance;
}

async function pooled(options: Partial<ParticleOptions>, runs: number, score?: () => number) {
  const drawn: string[] = [];
  for (let seed = 0; seed < runs; seed++) {
    drawn.push(...texts((await filter(options, { seed, ...(score && { score }) })).particles));
  }
  return drawn;
}

test("particle card: with the likelihood as weight the law of final particles tends to the exact posterior", async () => {
  const exact = law(rewardOf);
  // The same number of particles in all, in filters of 1, 8 and 64: what falls is the filter's own bias.
  const distances: number[] = [];
  for (const particles of [1, 8, 64]) {
    const drawn = await pooled({ particles, weight: "likelihood" }, 1600 / particles);
    distances.push(variation(drawn, exact));
  }
  expect(distances[0]).toBeGreaterThan(0.2);
  expect(distances[1]).toBeLessThan(distances[0]! / 2);
  expect(distances[2]).toBeLessThan(0.08);
});

test.each(["systematic", "stratified", "residual"] as const)(
  "the same posterior with %s resampling",
  async (resampling) => {
    const drawn = await pooled({ particles: 64, weight: "likelihood", resampling }, 50);
    expect(variation(drawn, law(rewardOf))).toBeLessThan(0.06);
  },
);

test("resampling only when few particles carry the weight leaves the posterior alone", async () => {
  const drawn: string[] = [];
  for (let seed = 0; seed < 60; seed++) {
    const { particles } = await filter({ particles: 64, weight: "likelihood", resampleBelow: 0.9 }, { seed });
    drawn.push(...texts(particles));
  }
  expect(variation(drawn, law(rewardOf))).toBeLessThan(0.12);
});

test("particle card: a constant reward leaves every particle with the model's own law", async () => {
  const drawn = await pooled({ particles: 8 }, 300, () => 0.6);
  expect(
    variation(
      drawn,
      law(() => 1),
    ),
  ).toBeLessThan(0.06);
});

describe("particle card: the ends of tau", () => {
  test("towards 0 all become copies of the best prefix", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { particles, events } = await filter({ particles: 6, tau: 0.001 }, { seed });
      const rounds = events.filter((event) => event.type === "step-scored");
      const lastRound = rounds.slice(-6).map(({ value }) => value);
      for (const { node } of particles) expect(node.reward).toBe(Math.max(...lastRound));
    }
  });

  test("towards infinity the weights do not matter", async () => {
    const drawn = await pooled({ particles: 8, tau: 1000 }, 300);
    expect(
      variation(
        drawn,
        law(() => 1),
      ),
    ).toBeLessThan(0.08);
  });
});

test("particle card: rewards of 0 and 1 give finite weights", async () => {
  const { particles } = await filter(
    { particles: 5 },
    { score: (steps) => (steps.at(-1)!.startsWith("a") ? 1 : 0) },
  );
  for (const { logWeights } of particles) expect(logWeights.every(Number.isFinite)).toBe(true);
});

test("particle card: one reward pass per active particle and round; copies share history and diverge", async () => {
  let diverged = 0;
  for (let seed = 0; seed < 20; seed++) {
    const { events } = await filter({ particles: 6 }, { seed });
    const written = events.filter((event) => event.type === "step-written");
    expect(written).toHaveLength(6 * depth);
    expect(events.filter((event) => event.type === "step-scored")).toHaveLength(6 * depth);
    for (const parent of new Set(written.map((event) => event.parent))) {
      const siblings = written.filter((event) => event.parent === parent && parent !== "");
      if (siblings.length > 1 && new Set(siblings.map(({ text }) => text)).size > 1) diverged++;
    }
  }
  expect(diverged).toBeGreaterThan(10);
});

test("entropic annealing keeps more prefixes alive after a confident first reward", async () => {
  const score = (steps: readonly string[]) => (steps.length === 1 && steps[0]!.startsWith("c") ? 0.999 : 0.5);
  const alive = async (anneal: "off" | "ess") => {
    let prefixes = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { events } = await filter({ particles: 8, anneal }, { seed, score });
      const second = events.filter((event) => event.type === "step-written" && /^\d+\.\d+$/.test(event.node));
      prefixes += new Set(second.map((event) => event.type === "step-written" && event.parent)).size;
    }
    return prefixes / 60;
  };
  expect(await alive("ess")).toBeGreaterThan((await alive("off")) + 0.5);
});

test("particle card: the reference survives the next filter unchanged, and others may go on from it", async () => {
  let copied = 0;
  for (let seed = 0; seed < 20; seed++) {
    const method = defineMethod({
      ...frame,
      async run(search, settings) {
        const first = await sweepParticles(search, settings, {
          ...{ references: [], found: [], iteration: 1, last: false },
        });
        const reference = first[0]!;
        const before = JSON.stringify([reference.logWeights, pathSteps(reference.node)]);
        const again = await sweepParticles(search, settings, {
          ...{ references: [reference], found: first, iteration: 2, last: true },
        });
        expect(again.at(-1)).toBe(reference);
        expect(again).toHaveLength(4);
        expect(JSON.stringify([reference.logWeights, pathSteps(reference.node)])).toBe(before);
        if (again.slice(0, -1).some(({ node }) => node.id.split(".")[0] === reference.node.id.split(".")[0]))
          copied++;
        // It was not given up: it may still be the answer.
        return search.finish(reference.node);
      },
    });
    await carryOut(method, { particles: 4 }, seed, rewardOf);
  }
  expect(copied).toBeGreaterThan(5);
});

test("the temperature of the steps moves over the cooling steps", async () => {
  const cold = { particles: 4, coolingSteps: 1, endTemperature: 0 };
  for (let seed = 0; seed < 10; seed++) {
    const { particles } = await filter(cold, { seed });
    for (const text of texts(particles)) expect(text.slice(1)).toBe("aa");
  }
});
