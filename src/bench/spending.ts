/** What the runs of one method cost together. */
import type { Role } from "../core/search.js";
import type { BenchResult } from "./result.js";

export interface RoleTokens {
  readonly calls: number;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly discardedTokens: number;
  readonly flops: number;
  readonly seconds: number;
}

export interface Spending {
  readonly flops: number;
  readonly generatedFlops: number;
  /** Wall seconds of the runs, added up. */
  readonly seconds: number;
  readonly roles: Readonly<Partial<Record<Role, RoleTokens>>>;
}

const figures = ["calls", "prefillTokens", "decodeTokens", "discardedTokens", "flops", "seconds"] as const;

export function spendingOf(results: readonly BenchResult[]): Spending {
  const total = { flops: 0, generatedFlops: 0, seconds: 0 };
  const roles: Partial<Record<Role, { -readonly [Key in keyof RoleTokens]: number }>> = {};
  for (const { ledger } of results) {
    total.flops += ledger.total.flops;
    total.generatedFlops += ledger.total.generatedFlops;
    total.seconds += ledger.total.seconds;
    for (const role of ["draft", "target", "reward"] as const) {
      const spent = ledger[role];
      if (!spent) continue;
      roles[role] ??= {
        calls: 0,
        prefillTokens: 0,
        decodeTokens: 0,
        discardedTokens: 0,
        flops: 0,
        seconds: 0,
      };
      for (const figure of figures) roles[role][figure] += spent[figure];
    }
  }
  return { ...total, roles };
}
