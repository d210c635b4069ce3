import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { chooseParticle, particleOptions, sweepParticles } from "../core/particle-sweep.js";

export default defineMethod({
  name: "particle-filter",
  essence:
    "answers in parallel, redrawn after each step in proportion to the reward of what they have so far",
  kind: "step",
  source: "Puri et al., Particle-Based Monte Carlo inference scaling, arXiv 2502.01618, section 3",
  needs: { draft: ["text"], reward: true },
  cost: "particles times an answer's tokens written, a reward pass for every step",
  use: "a noisy step reward: weak prefixes are redrawn by chance, not cut, so its mistakes are survived",
  schema: z.object(particleOptions),
  async run(search, options) {
    const particles = await sweepParticles(search, options, {
      references: [],
      found: [],
      iteration: 1,
      last: true,
    });
    return search.finish(await chooseParticle(search, particles, options));
  },
});
