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
function added<Figures extends object>(all: readonly Figures[]): Figures {
  const keys = Object.keys(all[0]!) as (keyof Figures)[];
  return Object.fromEntries(
    keys.map((key) => {
      const values = all.map((figures) => figures[key]);
      return [key, typeof values[0] === "number" ? sum(values as number[]) : added(values as object[])];
    }),
  ) as Figures;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
