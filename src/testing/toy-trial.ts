/** How often a method solves the toy problems, and what it spends. */
import type { Limits } from "../core/ledger.js";
import type { Method } from "../core/method.js";
import { startRun } from "../core/run.js";
import { type ToyProblemOptions, toyProblem } from "./toy-problems.js";

export interface ToyTrial {
  readonly method: Method;
  readonly options: Readonly<Record<string, unknown>>;
  readonly problems: number;
  readonly problem?: Omit<ToyProblemOptions, "index">;
  readonly budget?: Limits;
}

export interface ToyScore {
  /** Share of right answers. */
  readonly success: number;
  /** Of `success`: the standard error of a share. */
  readonly error: number;
  /** Written per problem. */
  readonly tokens: number;
  /** Reward passes per problem. */
  readonly passes: number;
}

/** Problem number i is run with seed i, for every method alike. */
export async function toyScore({
  method,
  options,
  problems,
  problem,
  budget = {},
}: ToyTrial): Promise<ToyScore> {
  let [right, tokens, passes] = [0, 0, 0];
  for (let index = 0; index < problems; index++) {
    const { question, roles, isRight } = toyProblem({ ...problem, index });
    const { draft, reward } = roles;
    const given = { draft, ...(method.needs.reward && { reward }) };
    const request = { method, options, question, roles: given, seed: index, budget, maxSteps: 50 };
    const { text, ledger } = await startRun(request).result;
    if (isRight(text)) right++;
    tokens += ledger.draft?.decodeTokens ?? 0;
    passes += ledger.reward?.calls ?? 0;
  }
  const success = right / problems;
  return {
    success,
    error: Math.sqrt((success * (1 - success)) / problems),
    tokens: tokens / problems,
    passes: passes / problems,
  };
}
