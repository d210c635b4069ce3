import { describe, test } from "vitest";
import { methods } from "../../src/methods/index.js";
import { type ConformanceOptions, conformance } from "../../src/testing/conformance.js";

const several = "several answers are sampled, and one of them chosen";

/** Further settings to run a method with, and cases that it skips, each with its reason. */
const variants: Record<string, ConformanceOptions[]> = {
  rsd: [{}, { options: { candidates: 3 } }, { options: { weight: "clip" } }],
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
