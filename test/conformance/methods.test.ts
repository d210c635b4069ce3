import { describe, test } from "vitest";
import { methods } from "../../src/methods/index.js";
import { type ConformanceOptions, conformance } from "../../src/testing/conformance.js";

const several = "several answers are sampled, and one of them chosen";

const plain = { sampleTemperature: 1, sampleTopP: 1 };

/** Further settings to run a method with, and cases that it skips, each with its reason. */
const variants: Record<string, ConformanceOptions[]> = {
  rsd: [
    {},
    { options: { candidates: 3 } },
    { options: { weight: "clip" } },
    { options: { threshold: "auto" } },
  ],
  adaptive: [
    { skip: { 6: "the first answer is greedy, whatever the run's temperature" } },
    { options: { anneal: false, width: 4, samples: 8, checkpoints: "8-16" } },
  ],
  "compute-optimal": [
    { options: { aggregation: "min" }, skip: { 6: several } },
    { options: { probes: 1, sampleTemperature: 1, policy: "probes" } },
    { options: { probes: 2, policy: "probes>=0.9 / best-of-n?samples=2" }, skip: { 6: several } },
  ],
  iterative: [
    { options: { aggregation: "min" }, skip: { 6: several } },
    { options: { candidates: 1, rounds: 1, sampleTemperature: 1 } },
  ],
  archon: [
    {
      options: { architecture: "generate*3>critique>rank*2>fuse*2>verify>test*1" },
      skip: {
        6: several,
        8: "scripted models do not understand judging prompts; archon.test.ts has one that does",
      },
    },
    { options: { architecture: "generate", sampleTemperature: 1 } },
  ],
  cntp: [
    { skip: { 6: "it departs from sampling on purpose" } },
    { options: { trials: 1, sampleTemperature: 1, sampleTopP: 1 } },
  ],
  adadec: [{ skip: { 6: "it is greedy but where it looks ahead" } }],
  momentum: [
    {
      skip: {
        6: "it is greedy but where it repeats itself",
        8: "it has one answer, right or wrong, for all seeds",
      },
    },
  ],
  "best-of-n": [
    { skip: { 6: several } },
    { options: { samples: 1, ...plain } },
    { options: { samples: 4, choose: "weighted", aggregation: "min" }, skip: { 6: several } },
  ],
  "self-consistency": [
    { skip: { 6: several } },
    { options: { samples: 1, ...plain } },
    { options: { samples: 6, batch: 2, confidence: 0.9 }, skip: { 6: several } },
  ],
  "step-best-of-n": [{ skip: { 6: several } }, { options: { samples: 1, ...plain } }],
  beam: [
    { skip: { 6: several } },
    { options: { width: 1, expand: 1, ...plain } },
    { options: { width: 2, expand: 3, aggregation: "product", coolingSteps: 3 }, skip: { 6: several } },
  ],
  dvts: [
    { options: { trees: 2, expand: 2 }, skip: { 6: several } },
    { options: { trees: 1, expand: 1, ...plain } },
  ],
  lookahead: [
    { options: { width: 2, expand: 2, ahead: 1 }, skip: { 6: several } },
    { options: { width: 1, expand: 1, ahead: 0, ...plain } },
  ],
  mcts: [
    { options: { simulations: 3, expand: 2 }, skip: { 6: several } },
    { options: { simulations: 1, expand: 1, ...plain } },
  ],
  "self-refine": [
    { options: { rounds: 1 }, skip: { 6: "it answers a second time" } },
    { options: { rounds: 0 } },
  ],
  "a-star": [
    { skip: { 6: several } },
    { options: { children: 1, sampleTemperature: 1 } },
    { options: { stop: "budget", expansions: 12, expandAtOnce: 3 }, skip: { 6: several } },
  ],
  "particle-filter": [
    { skip: { 6: several } },
    { options: { particles: 1, sampleTemperature: 1 } },
    {
      options: { particles: 8, resampling: "systematic", anneal: "ess", finished: "wait" },
      skip: { 6: several },
    },
  ],
  "particle-gibbs": [
    { skip: { 6: several } },
    { options: { iterations: 1, particles: 1, sampleTemperature: 1 } },
  ],
  "diffusion-tree": [
    { skip: { 6: several } },
    { options: { rollouts: 1, sampleTemperature: 1 } },
    { options: { mode: "sample", rollouts: 6, parallel: 1 }, skip: { 6: several } },
  ],
  specreason: [
    { skip: { 6: "the toy target's grades are no digits, so it writes every step itself" } },
    { options: { threshold: 0 }, skip: { 4: "the target grades and never writes" } },
  ],
  gsi: [{ skip: { 6: several } }, { options: { drafts: 1, sampleTemperature: 1 } }],
  "first-finish": [
    { skip: { 6: several } },
    { options: { samples: 1, sampleTemperature: 1 } },
    { options: { wait: 3 }, skip: { 6: several } },
    {
      options: { mode: "race" },
      skip: { 3: "the fastest call wins the race", 5: "a race run again may be won by another", 6: several },
    },
  ],
  hedged: [
    { skip: { 6: several, 8: "its greedy answer is right in this world, whatever the budget" } },
    { options: { select: "mbr", utility: "exact" }, skip: { 6: several } },
    {
      options: { select: "x-mbr", evidence: 1, samples: 3 },
      skip: { 6: several, 8: "the toy target is no judge" },
    },
  ],
};

for (const method of await methods.all()) {
  for (const variant of variants[method.name] ?? [{}]) {
    describe(`${method.name} ${JSON.stringify(variant.options ?? {})}`, () => {
      for (const { name, skipped, run } of conformance(method, variant)) {
        test.skipIf(skipped !== undefined)(skipped ? `${name} (skipped: ${skipped})` : name, run);
      }
    });
  }
}
