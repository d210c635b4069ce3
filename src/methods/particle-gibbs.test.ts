import { expect, test } from "vitest";
import { defineMethod } from "../core/method.js";
import { type Particle, sweepParticles } from "../core/particle-sweep.js";
import type { RunRequest } from "../core/run.js";
import { pathSteps } from "../core/search.js";
import { carryOut } from "../testing/carry-out.js";
import { toyQuestion, toyWorld } from "../testing/index.js";
import particleFilter from "./particle-filter.js";
import particleGibbs from "./particle-gibbs.js";

const toy = (request: Partial<RunRequest> & Pick<RunRequest, "method">) =>
  carryOut({
    ...{ question: toyQuestion, roles: toyWorld(request.method).roles, sampling: { temperature: 1 } },
    ...request,
  });

test("particle card: Gibbs with one iteration equals the filter", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const gibbs = await toy({ method: particleGibbs, options: { iterations: 1 }, seed });
    const filtered = await toy({ method: particleFilter, seed });
    expect(gibbs.result.text).toBe(filtered.result.text);
    expect(gibbs.result.ledger.draft).toEqual(filtered.result.ledger.draft);
  }
});

test("more iterations find better answers", async () => {
  const right = async (iterations: number) => {
    let count = 0;
    for (let seed = 0; seed < 120; seed++) {
      const { result } = await toy({
        method: particleGibbs,
        options: { iterations, particles: 2 },
        seed,
      });
      if (result.text.split("\n\n").every((step) => step.startsWith("right"))) count++;
    }
    return count / 120;
  };
  expect(await right(4)).toBeGreaterThan((await right(1)) + 0.1);
});

test("particle card: the reference survives the next filter unchanged, and others may go on from it", async () => {
  let copied = 0;
  for (let seed = 0; seed < 20; seed++) {
    const method = defineMethod({
      ...particleGibbs,
      async run(search, options) {
        const sweep = { references: [], found: [], iteration: 1, last: false };
        const first = await sweepParticles(search, options, sweep);
        const reference = first[0]!;
        const before = JSON.stringify([reference.logWeights, pathSteps(reference.node)]);
        const next = { references: [reference], found: first, iteration: 2, last: true };
        const again = await sweepParticles(search, options, next);
        expect(again.at(-1)).toBe(reference);
        expect(again).toHaveLength(4);
        expect(JSON.stringify([reference.logWeights, pathSteps(reference.node)])).toBe(before);
        const beginning = ({ node }: Particle) => node.id.split(".")[0];
        if (again.slice(0, -1).some((other) => beginning(other) === beginning(reference))) copied++;
        // It was not given up: it may still be the answer.
        return search.finish(reference.node);
      },
    });
    await toy({ method, seed });
  }
  expect(copied).toBeGreaterThan(5);
});
