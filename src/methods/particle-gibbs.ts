import { z } from "zod";
import { defineMethod } from "../core/method.js";
import {
  chooseParticle,
  lastWeight,
  type Particle,
  particleOptions,
  sweepParticles,
} from "../core/particle-sweep.js";
import { drawIndex, softmax } from "../core/weights.js";

export default defineMethod({
  name: "particle-gibbs",
  essence: "particle filtering again and again, each time around kept references of the last",
  kind: "step",
  source:
    "Puri et al., Particle-Based Monte Carlo inference scaling, arXiv 2502.01618, section 3 and appendix",
  needs: { draft: ["text"], reward: true },
  cost: "iterations times particles answers, less what the kept references save",
  use: "a budget that one filter of that many particles cannot hold in memory at once",
  schema: z.object({
    ...particleOptions,
    iterations: z
      .int()
      .min(1)
      .max(64)
      .default(2)
      .describe("filters in a row; the cost is this many times one")
      .meta({ width: true }),
    references: z.int().min(1).max(64).default(1).describe("particles kept as they are for the next filter"),
  }),
  async run(search, options) {
    const found: Particle[] = [];
    let references: Particle[] = [];
    for (let iteration = 1; iteration <= options.iterations; iteration++) {
      const last = iteration === options.iterations;
      const particles = await sweepParticles(search, options, { references, found, iteration, last });
      const law = softmax(particles.map(lastWeight));
      const kept = Math.min(options.references, options.particles - 1);
      references = Array.from(
        { length: kept },
        (_, index) =>
          particles[drawIndex(law, search.uniform(search.root, "reference", iteration * kept + index))]!,
      );
      found.push(...particles);
    }
    return search.finish(await chooseParticle(search, found, options));
  },
});
