import { describe, expect, test } from "vitest";
import { defineMethod } from "../core/method.js";
import { type Particle, type ParticleOptions, sweepParticles } from "../core/particle-sweep.js";
import type { RunRequest } from "../core/run.js";
import { pathSteps } from "../core/search.js";
import { type CarriedOut, carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel, ScriptedReward, toyQuestion, toyWorld } from "../testing/index.js";
import draftAlone from "./draft.js";
import particleFilter from "./particle-filter.js";

const letters = ["a", "b", "c"];
const prior = [0.5, 0.3, 0.2];
const depth = 3;

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

type Score = (steps: readonly string[]) => number;

/** One filter's final particles, all of them. */
async function filter(
  options: Partial<ParticleOptions>,
  { seed = 0, score = rewardOf as Score } = {},
): Promise<CarriedOut & { particles: Particle[] }> {
  let particles: Particle[] = [];
  const method = defineMethod({
    ...particleFilter,
    async run(search, settings) {
      const sweep = { references: [], found: [], iteration: 1, last: true };
      particles = await sweepParticles(search, settings, sweep);
      return search.finish(particles[0]!.node);
    },
  });
  const reward = new ScriptedReward({ score: (_, steps) => score(steps) });
  const ran = await carryOut({
    ...{ method, question: "?", roles: { draft: model, reward }, seed },
    options: { sampleTemperature: 1, ...options },
  });
  return { ...ran, particles };
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
  // Pooled over runs, so that what falls is the filter's own bias.
  const distances: number[] = [];
  for (const [particles, runs] of [
    [1, 400],
    [8, 150],
    [64, 25],
  ] as const) {
    const drawn = await pooled({ particles, weight: "likelihood" }, runs);
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
      const rounds = ofType(events, "step-scored");
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
    const written = ofType(events, "step-written");
    expect(written).toHaveLength(6 * depth);
    expect(ofType(events, "step-scored")).toHaveLength(6 * depth);
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
      const second = ofType(events, "step-written").filter(({ node }) => /^\d+\.\d+$/.test(node));
      prefixes += new Set(second.map(({ parent }) => parent)).size;
    }
    return prefixes / 60;
  };
  expect(await alive("ess")).toBeGreaterThan((await alive("off")) + 0.5);
});

test("the temperature of the steps moves over the cooling steps", async () => {
  const cold = { particles: 4, coolingSteps: 1, endTemperature: 0 };
  for (let seed = 0; seed < 10; seed++) {
    const { particles } = await filter(cold, { seed });
    for (const text of texts(particles)) expect(text.slice(1)).toBe("aa");
  }
});

const toy = (request: Partial<RunRequest> & Pick<RunRequest, "method">) =>
  carryOut({
    ...{ question: toyQuestion, roles: toyWorld(request.method).roles, sampling: { temperature: 1 } },
    ...request,
  });

test("particle card: one particle is one plain sample, whatever the reward says", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const options = { particles: 1, sampleTemperature: 1 };
    const filtered = await toy({ method: particleFilter, options, seed });
    const plain = await toy({ method: draftAlone, seed });
    expect(filtered.result.text).toBe(plain.result.text);
    expect(filtered.result.ledger.draft).toEqual(plain.result.ledger.draft);
  }
});

test("the answer is a whole one where there is one", async () => {
  for (let seed = 0; seed < 20; seed++) {
    for (const select of ["best", "sample", "vote"]) {
      const { result } = await toy({ method: particleFilter, options: { select }, seed });
      expect(result.finish).toBe("stop");
    }
  }
});
