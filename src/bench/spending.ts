/** What the runs of one method cost together. */
import type { RoleSpending } from "../core/ledger.js";
import type { Role } from "../core/search.js";
import type { BenchResult } from "./result.js";

export interface Spending {
  readonly flops: number;
  readonly generatedFlops: number;
  /** Wall seconds of the runs, added up. */
  readonly seconds: number;
  readonly roles: Readonly<Partial<Record<Role, RoleSpending>>>;
}

export function spendingOf(results: readonly BenchResult[]): Spending {
  const totals = results.map(({ ledger }) => ledger.total);
  const roles = (["draft", "target", "reward"] as const).flatMap((role) => {
    const spent = results.flatMap(({ ledger }) => ledger[role] ?? []);
    return spent.length > 0 ? [[role, added(spent)] as const] : [];
  });
  return {
    flops: sum(totals.map(({ flops }) => flops)),
    generatedFlops: sum(totals.map(({ generatedFlops }) => generatedFlops)),
    seconds: sum(totals.map(({ seconds }) => seconds)),
    roles: Object.fromEntries(roles),
  };
}

/** The same figures, each added up. */
function added(all: readonly RoleSpending[]): RoleSpending {
  const total = (figure: (spent: RoleSpending) => number) => sum(all.map(figure));
  // Where one run that did something does not tell its passes, their sum would look like a saving.
  const tells = all.every((spent) => spent.weightReads !== undefined || spent.flops === 0);
  return {
    calls: total(({ calls }) => calls),
    prefillTokens: total(({ prefillTokens }) => prefillTokens),
    decodeTokens: total(({ decodeTokens }) => decodeTokens),
    discardedTokens: total(({ discardedTokens }) => discardedTokens),
    flops: total(({ flops }) => flops),
    generatedFlops: total(({ generatedFlops }) => generatedFlops),
    seconds: total(({ seconds }) => seconds),
    ...(tells && { weightReads: total(({ weightReads = 0 }) => weightReads) }),
    read: {
      prompt: total(({ read }) => read.prompt),
      catchUp: total(({ read }) => read.catchUp),
      recomputed: total(({ read }) => read.recomputed),
      reward: total(({ read }) => read.reward),
      ...(all.some(({ read }) => read.rejected !== undefined) && {
        rejected: total(({ read }) => read.rejected ?? 0),
      }),
      ...(all.some(({ read }) => read.drafting !== undefined) && {
        drafting: total(({ read }) => read.drafting ?? 0),
      }),
    },
    ...(all.some(({ speculation }) => speculation !== undefined) && {
      speculation: {
        blocks: total(({ speculation }) => speculation?.blocks ?? 0),
        drafted: total(({ speculation }) => speculation?.drafted ?? 0),
        accepted: total(({ speculation }) => speculation?.accepted ?? 0),
      },
    }),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
