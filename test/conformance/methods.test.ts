import { describe, test } from "vitest";
import { methods } from "../../src/methods/index.js";
import { type ConformanceOptions, conformance } from "../../src/testing/conformance.js";

/** Further settings to run a method with, and cases that it skips, each with its reason. */
const variants: Record<string, ConformanceOptions[]> = {
  rsd: [{}, { options: { candidates: 3 } }, { options: { weight: "clip" } }],
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
