/** What may be spent (limits) and what was spent (ledger), per role. */
import type { Role } from "./search.js";

/** Hard limits; an absent one is not limited. Token limits count written tokens, discarded ones included. */
export interface Limits {
  readonly "draft-tokens"?: number;
  readonly "target-tokens"?: number;
  readonly "reward-passes"?: number;
  readonly flops?: number;
  readonly seconds?: number;
}

export const limitNames = ["draft-tokens", "target-tokens", "reward-passes", "flops", "seconds"] as const;

export interface RoleSpending {
  /** Steps written, or steps scored. */
  readonly calls: number;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  /** Of the decoded tokens, those of steps that are not in the answer. */
  readonly discardedTokens: number;
  /** Every token read or written, at its position. */
  readonly flops: number;
  /** The papers' account: 2 x multiplied parameters x written tokens; reading is free in it. */
  readonly generatedFlops: number;
  /** Share of the engine's busy time. */
  readonly seconds: number;
  /** Read tokens by purpose; they add up to `prefillTokens`. */
  readonly read: {
    readonly prompt: number;
    readonly catchUp: number;
    readonly recomputed: number;
    readonly reward: number;
  };
}

export interface LedgerData extends Readonly<Partial<Record<Role, RoleSpending>>> {
  readonly total: { readonly flops: number; readonly generatedFlops: number; readonly seconds: number };
}
