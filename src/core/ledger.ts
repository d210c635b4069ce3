/** What may be spent (limits) and what was spent (ledger), per role. */
import {
  addUsage,
  asReading,
  type ModelSize,
  type SpeculationUsage,
  tokensWithin,
  type Usage,
} from "./model.js";
import type { Role, Writer } from "./search.js";
import { purposeOf, standing, type TraceEvent } from "./trace-event.js";

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
  /** Steps written, cut ones included, or steps scored (failed passes included). */
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
  /** How often the weights were read, a pass divided over the tokens in it. Absent where no back end says. */
  readonly weightReads?: number;
  /** Read tokens by purpose; they add up to `prefillTokens`. */
  readonly read: {
    readonly prompt: number;
    /** What the role had not written itself: others' steps, forced texts, and tokens passed again for their law. */
    readonly catchUp: number;
    readonly recomputed: number;
    readonly reward: number;
    /** Drafted tokens that were passed and not written. Absent where none were. */
    readonly rejected?: number;
    /** Every pass made to draft tokens for another role. Absent where none was. */
    readonly drafting?: number;
  };
  /** What token-level speculation did for this role's steps. Absent where nothing was drafted. */
  readonly speculation?: Omit<SpeculationUsage, "draft">;
}

export interface LedgerData extends Readonly<Partial<Record<Role, RoleSpending>>> {
  readonly total: { readonly flops: number; readonly generatedFlops: number; readonly seconds: number };
}

/** The most that a call can cost. */
export interface Claim {
  readonly role: Role;
  readonly tokens: number;
  readonly passes: number;
  readonly flops: number;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Mutable<Type[Key]> };
type Purpose = "prompt" | "catch-up" | "reward" | "drafting";
type StepEvent = Extract<TraceEvent, { type: "step-written" | "step-cut" }>;

const nothingDrafted = { blocks: 0, drafted: 0, accepted: 0 };

const roles = ["draft", "target", "reward"] as const;

/**
 * The account of one run. It is charged by trace events and by nothing else, so it is their sum by construction.
 * `total.seconds` is the wall time of the run; roles' seconds are shares of busy time and need not add up to it.
 */
export class Ledger {
  readonly limits: Limits;
  readonly #spending = new Map<Role, Mutable<RoleSpending>>();
  readonly #sizes = new Map<Role, ModelSize>();
  readonly #claims = new Set<Claim>();
  #elapsed = 0;

  constructor(limits: Limits = {}) {
    this.limits = limits;
  }

  charge(event: TraceEvent): void {
    switch (event.type) {
      case "run-started":
        for (const role of roles) {
          const identity = event.roles[role];
          if (!identity) continue;
          this.#spending.set(role, nothingSpent());
          if (identity.size) this.#sizes.set(role, identity.size);
        }
        return;
      case "context-read":
        this.#use(event.role, event.usage, event.purpose);
        return;
      case "step-written":
        this.#of(event.role).calls++;
        // A server may have written on before it saw that the step was over.
        this.#of(event.role).discardedTokens += Math.max(0, event.usage.decodeTokens - event.tokens.length);
        this.#write(event);
        return;
      case "step-cut":
        this.#of(event.role).calls++;
        this.#of(event.role).discardedTokens += event.usage.decodeTokens;
        this.#write(event);
        return;
      case "step-read":
      case "candidates-read":
        this.#use(event.role, event.usage, "catch-up");
        return;
      case "step-scored":
        this.#of("reward").calls++;
        this.#use("reward", event.usage, "reward");
        return;
      case "reward-failed":
        this.#of("reward").calls++;
        return;
      case "step-pruned":
        this.#of(event.role).discardedTokens += event.tokens;
        return;
      case "step-committed":
      case "run-resumed":
      case "run-finished":
        this.#elapsed = event.elapsed;
    }
  }

  /** Wall seconds of the run as of the last event that says so. */
  get elapsed(): number {
    return this.#elapsed;
  }

  /** Sets a call's greatest cost aside. Undefined if it might not fit beside what is spent and set aside already. */
  claim(claim: Claim): (() => void) | undefined {
    const fits =
      claim.tokens <= this.tokensLeft(claim.role) &&
      claim.passes <= this.#passesLeft() &&
      claim.flops <= this.flopsLeft();
    if (!fits) return undefined;
    this.#claims.add(claim);
    return () => this.#claims.delete(claim);
  }

  /**
   * How many of `wanted` tokens the role may still write from this position on; `pending` are FLOPs spent by the
   * same call and not charged yet.
   */
  allowance(role: Writer, position: number, wanted: number, pending = 0): number {
    const most = Math.max(0, Math.min(wanted, this.tokensLeft(role)));
    const flops = this.flopsLeft() - pending;
    const size = this.#sizes.get(role);
    return size ? tokensWithin(size, position, flops, most) : most;
  }

  passAllowed(flops: number): boolean {
    return this.#passesLeft() >= 1 && this.flopsLeft() > 0 && flops <= this.flopsLeft();
  }

  flopsLeft(): number {
    if (this.limits.flops === undefined) return Number.POSITIVE_INFINITY;
    let spent = 0;
    for (const spending of this.#spending.values()) spent += spending.flops;
    for (const claim of this.#claims) spent += claim.flops;
    return this.limits.flops - spent;
  }

  /** Tokens that the role may still write. */
  tokensLeft(role: Role): number {
    const limit = role === "reward" ? undefined : this.limits[`${role}-tokens`];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    let spent = this.#spending.get(role)?.decodeTokens ?? 0;
    for (const claim of this.#claims) if (claim.role === role) spent += claim.tokens;
    return limit - spent;
  }

  toJSON(): LedgerData {
    const data: Partial<Record<Role, RoleSpending>> = {};
    const total = { flops: 0, generatedFlops: 0, seconds: this.#elapsed };
    for (const role of roles) {
      const spending = this.#spending.get(role);
      if (!spending) continue;
      data[role] = { ...spending, read: { ...spending.read } };
      total.flops += spending.flops;
      total.generatedFlops += spending.generatedFlops;
    }
    return { ...data, total };
  }

  #passesLeft(): number {
    const limit = this.limits["reward-passes"];
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    let spent = this.#spending.get("reward")?.calls ?? 0;
    for (const claim of this.#claims) spent += claim.passes;
    return limit - spent;
  }

  #of(role: Role): Mutable<RoleSpending> {
    let spending = this.#spending.get(role);
    if (!spending) {
      spending = nothingSpent();
      this.#spending.set(role, spending);
    }
    return spending;
  }

  #write({ role, usage, parent, speculation }: StepEvent): void {
    this.#use(role, usage, purposeOf(parent));
    if (!speculation) return;
    const { blocks, drafted, accepted, draft } = speculation;
    const spending = this.#of(role);
    spending.speculation = addUsage(spending.speculation ?? nothingDrafted, { blocks, drafted, accepted });
    const rejected = Math.min(drafted - accepted, usage.prefillTokens - usage.recomputedTokens);
    spending.read[purposeOf(parent) === "prompt" ? "prompt" : "catchUp"] -= rejected;
    if (rejected > 0) spending.read.rejected = (spending.read.rejected ?? 0) + rejected;
    if (draft) this.#use("draft", asReading(draft), "drafting");
  }

  #use(role: Role, usage: Usage, purpose: Purpose): void {
    const spending = this.#of(role);
    spending.prefillTokens += usage.prefillTokens;
    spending.decodeTokens += usage.decodeTokens;
    spending.flops += usage.flops;
    spending.seconds += usage.seconds;
    if (usage.weightReads !== undefined)
      spending.weightReads = (spending.weightReads ?? 0) + usage.weightReads;
    spending.generatedFlops += 2 * (this.#sizes.get(role)?.multiplied ?? 0) * usage.decodeTokens;
    spending.read.recomputed += usage.recomputedTokens;
    const bucket = purpose === "catch-up" ? "catchUp" : purpose;
    spending.read[bucket] = (spending.read[bucket] ?? 0) + usage.prefillTokens - usage.recomputedTokens;
  }
}

/** The ledger of a trace: what it sums up to, with no model at hand. */
export function ledgerOf(events: readonly TraceEvent[]): LedgerData {
  const ledger = new Ledger();
  for (const event of standing(events)) ledger.charge(event);
  return ledger.toJSON();
}

function nothingSpent(): Mutable<RoleSpending> {
  return {
    calls: 0,
    prefillTokens: 0,
    decodeTokens: 0,
    discardedTokens: 0,
    flops: 0,
    generatedFlops: 0,
    seconds: 0,
    read: { prompt: 0, catchUp: 0, recomputed: 0, reward: 0 },
  };
}
