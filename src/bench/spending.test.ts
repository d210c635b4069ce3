import { expect, test } from "vitest";
import type { RoleSpending } from "../core/ledger.js";
import type { BenchResult } from "./result.js";
import { spendingOf } from "./spending.js";

const spent = (flops: number, weightReads?: number): RoleSpending => ({
  calls: 1,
  prefillTokens: 2,
  decodeTokens: 3,
  discardedTokens: 1,
  flops,
  generatedFlops: flops / 2,
  seconds: 0.5,
  read: { prompt: 2, catchUp: 0, recomputed: 0, reward: 0 },
  ...(weightReads !== undefined && { weightReads }),
});
const result = (target: RoleSpending) =>
  ({
    ledger: { target, total: { flops: target.flops, generatedFlops: 0, seconds: 1 } },
  }) as unknown as BenchResult;

test("runs add up figure by figure", () => {
  const { roles, flops, seconds } = spendingOf([result(spent(10, 4)), result(spent(20, 6))]);
  expect({ flops, seconds }).toEqual({ flops: 30, seconds: 2 });
  expect(roles.target).toEqual({
    ...spent(30, 10),
    calls: 2,
    prefillTokens: 4,
    decodeTokens: 6,
    discardedTokens: 2,
    seconds: 1,
    read: { prompt: 4, catchUp: 0, recomputed: 0, reward: 0 },
  });
});

test("what was drafted adds up, over the runs that drafted anything", () => {
  const drafting: RoleSpending = {
    ...spent(10),
    read: { prompt: 1, catchUp: 0, recomputed: 0, reward: 0, rejected: 1, drafting: 2 },
    speculation: { blocks: 2, drafted: 5, accepted: 4 },
  };
  const { target } = spendingOf([result(drafting), result(spent(0)), result(drafting)]).roles;
  expect(target!.speculation).toEqual({ blocks: 4, drafted: 10, accepted: 8 });
  expect(target!.read).toEqual({ prompt: 4, catchUp: 0, recomputed: 0, reward: 0, rejected: 2, drafting: 4 });
});

test("reads of weights are told where every run that did something tells them", () => {
  // A run that never asked the target has nothing to tell.
  expect(spendingOf([result(spent(0)), result(spent(20, 6))]).roles.target!.weightReads).toBe(6);
  expect(spendingOf([result(spent(10)), result(spent(20, 6))]).roles.target!.weightReads).toBeUndefined();
});
