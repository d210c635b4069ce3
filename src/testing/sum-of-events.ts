/** The ledger's roles summed from a trace in another way than the ledger does it, to hold the two against each other. */
import type { RoleSpending } from "../core/ledger.js";
import type { Usage } from "../core/model.js";
import type { Role } from "../core/search.js";
import { isRootId, type TraceEvent } from "../core/trace-event.js";

type Paid = Extract<TraceEvent, { usage: Usage }>;

export function sumOfEvents(events: readonly TraceEvent[]): Partial<Record<Role, RoleSpending>> {
  const started = events.find((event) => event.type === "run-started")!;
  const sums: Partial<Record<Role, RoleSpending>> = {};
  for (const role of Object.keys(started.roles) as Role[]) {
    const paid = events.filter((event): event is Paid => "usage" in event && roleOf(event) === role);
    const sum = (figure: keyof Usage) => paid.reduce((total, { usage }) => total + (usage[figure] ?? 0), 0);
    const read = (purpose: string) =>
      paid
        .filter((event) => purposeOf(event) === purpose)
        .reduce((total, { usage }) => total + usage.prefillTokens - usage.recomputedTokens, 0);
    const pruned = new Map(
      events.filter((event) => event.type === "step-pruned").map((event) => [event.node, event]),
    );
    sums[role] = {
      calls:
        paid.filter(({ type }) => type === "step-written" || type === "step-cut" || type === "step-scored")
          .length + (role === "reward" ? events.filter((event) => event.type === "reward-failed").length : 0),
      prefillTokens: sum("prefillTokens"),
      decodeTokens: sum("decodeTokens"),
      discardedTokens: paid.reduce((total, event) => total + discarded(event, pruned), 0),
      flops: sum("flops"),
      generatedFlops: 2 * (started.roles[role]?.size?.multiplied ?? 0) * sum("decodeTokens"),
      seconds: sum("seconds"),
      ...(paid.some(({ usage }) => usage.weightReads !== undefined) && { weightReads: sum("weightReads") }),
      read: {
        prompt: read("prompt"),
        catchUp: read("catch-up"),
        recomputed: sum("recomputedTokens"),
        reward: read("reward"),
      },
    };
  }
  return sums;
}

/** All of what is not in the answer; of a step that is, what was written beyond its end. */
function discarded(event: Paid, pruned: ReadonlyMap<string, unknown>): number {
  if (event.type === "step-cut") return event.usage.decodeTokens;
  if (event.type !== "step-written") return 0;
  const { decodeTokens } = event.usage;
  return pruned.has(event.node) ? decodeTokens : Math.max(0, decodeTokens - event.tokens.length);
}

function roleOf(event: Paid): Role {
  return event.type === "step-scored" ? "reward" : event.role;
}

function purposeOf(event: Paid): string {
  if (event.type === "step-scored") return "reward";
  if (event.type === "context-read") return event.purpose;
  return "parent" in event && isRootId(event.parent) ? "prompt" : "catch-up";
}
