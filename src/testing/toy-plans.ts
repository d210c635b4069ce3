/** Every search method at the same budget on the toy problems: what it is run with where n answers may be written. */
import { methods } from "../methods/index.js";
import type { ToyProblemOptions } from "./toy-problems.js";
import { type ToyScore, toyScore } from "./toy-trial.js";

const sampled = { sampleTemperature: 1 };
const untruncated = { ...sampled, sampleTopP: 1 };
/** Of n candidates a step, four after each of the prefixes that are kept. */
const fan = (n: number) => ({ kept: Math.max(1, n / 4), each: Math.min(4, n) });

export const toyPlans: Readonly<Record<string, (n: number) => Readonly<Record<string, unknown>>>> = {
  "best-of-n": (n) => ({ samples: n, ...untruncated }),
  "step-best-of-n": (n) => ({ samples: n, ...untruncated }),
  beam: (n) => ({ width: fan(n).kept, expand: fan(n).each, ...untruncated }),
  dvts: (n) => ({ trees: fan(n).kept, expand: fan(n).each, ...untruncated }),
  lookahead: (n) => ({
    width: Math.max(1, n / 8),
    expand: Math.min(4, Math.ceil(n / 2)),
    ahead: 1,
    ...untruncated,
  }),
  mcts: (n) => ({ simulations: fan(n).kept, expand: fan(n).each, exploration: 0.2, ...untruncated }),
  "a-star": (n) => ({ children: n > 4 ? 4 : Math.min(2, n), expansions: 1000, ...sampled }),
  "particle-filter": (n) => ({ particles: n, ...sampled, endTemperature: 1 }),
  "particle-gibbs": (n) => ({
    particles: n > 4 ? n / 2 : n,
    iterations: n > 4 ? 2 : 1,
    ...sampled,
    endTemperature: 1,
  }),
  "diffusion-tree": (n) => ({ rollouts: n, ...sampled }),
};

/** Tokens of an answer of six steps: one each, and the one that ends it. */
const answerTokens = 7;

/** The method at a hard limit of n answers' tokens. */
export async function toyPlanScore(
  name: string,
  n: number,
  problems: number,
  problem: Omit<ToyProblemOptions, "index">,
): Promise<ToyScore> {
  const method = await methods.get(name);
  const budget = { "draft-tokens": n * answerTokens };
  return toyScore({ method, options: toyPlans[name]!(n), problems, problem, budget });
}
