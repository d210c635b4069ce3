import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ledger, ledgerOf } from "./ledger.js";
import { type ModelSize, spanFlops, tokenFlops } from "./model.js";
import type { TraceEvent } from "./trace-event.js";

const size: ModelSize = {
  ...{ parameters: 1200, multiplied: 1000, layers: 3, attentionWidth: 16 },
  ...{ vocabulary: 300, context: 4096, bytes: 5000 },
};

const started = {
  type: "run-started",
  roles: { draft: { name: "d", size }, target: { name: "t", size }, reward: { name: "r" } },
} as unknown as TraceEvent;

const usage = (prefillTokens: number, decodeTokens: number, flops = 0, recomputedTokens = 0) => ({
  ...{ prefillTokens, decodeTokens, recomputedTokens, flops, seconds: 0.5 },
});

const written = (
  role: "draft" | "target",
  parent: string,
  cost: ReturnType<typeof usage>,
  kept = cost.decodeTokens,
) => {
  const tokens = Array.from({ length: kept }, () => 1);
  return { type: "step-written", node: "x", role, parent, tokens, usage: cost } as unknown as TraceEvent;
};

test("what was written beyond a step's end is discarded", () => {
  const cost = usage(0, 7);
  expect(ledgerOf([written("draft", "", cost, 5)]).draft).toMatchObject({
    decodeTokens: 7,
    discardedTokens: 2,
  });
});

test("a span of tokens costs the sum of its tokens", () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.nat(300), (start, count) => {
      let sum = 0;
      for (let position = start; position < start + count; position++) sum += tokenFlops(size, position);
      expect(spanFlops(size, start, count)).toBe(sum);
    }),
  );
});

test("every figure lands in its place", () => {
  const data = ledgerOf([
    started,
    { type: "context-read", role: "draft", node: "", purpose: "prompt", usage: usage(10, 0, 100) },
    written("draft", "", usage(1, 5, 70)),
    { type: "context-read", role: "draft", node: "0", purpose: "catch-up", usage: usage(9, 0, 90, 4) },
    written("draft", "0", usage(2, 6, 80)),
    { type: "step-scored", node: "0", value: 1, usage: usage(7, 0, 30) },
    { type: "reward-failed", node: "1", policy: "accept", error: { code: "reward-failed", message: "" } },
    { type: "step-pruned", node: "0.0", role: "draft", tokens: 6 },
    { type: "step-committed", node: "0", elapsed: 3 },
  ]);
  expect(data).toEqual({
    draft: {
      ...{ calls: 2, prefillTokens: 22, decodeTokens: 11, discardedTokens: 6, flops: 340 },
      ...{ generatedFlops: 2 * 1000 * 11, seconds: 2 },
      read: { prompt: 11, catchUp: 7, recomputed: 4, reward: 0 },
    },
    target: {
      ...{
        calls: 0,
        prefillTokens: 0,
        decodeTokens: 0,
        discardedTokens: 0,
        flops: 0,
        generatedFlops: 0,
        seconds: 0,
      },
      read: { prompt: 0, catchUp: 0, recomputed: 0, reward: 0 },
    },
    reward: {
      ...{
        calls: 2,
        prefillTokens: 7,
        decodeTokens: 0,
        discardedTokens: 0,
        flops: 30,
        generatedFlops: 0,
        seconds: 0.5,
      },
      read: { prompt: 0, catchUp: 0, recomputed: 0, reward: 7 },
    },
    total: { flops: 370, generatedFlops: 22_000, seconds: 3 },
  });
});

test("what a resumed run made void is not counted", () => {
  const events: TraceEvent[] = [
    started,
    written("draft", "", usage(0, 5)),
    { type: "step-pruned", node: "0", role: "draft", tokens: 5 },
    { type: "run-finished", finish: "abort", node: "", text: "", ledger: { total: {} } as never, elapsed: 2 },
    { type: "run-resumed", records: 2, elapsed: 2 },
  ];
  expect(ledgerOf(events.slice(0, 4)).draft!.discardedTokens).toBe(5);
  expect(ledgerOf(events).draft).toMatchObject({ discardedTokens: 0, decodeTokens: 5 });
});

describe("limits", () => {
  const spent = (limits: object) => {
    const ledger = new Ledger(limits);
    for (const event of [started, written("draft", "", usage(0, 40, 500_000))]) ledger.charge(event);
    return ledger;
  };

  test("an allowance is the most that fits, to the token", () => {
    fc.assert(
      fc.property(fc.nat(2e6), fc.nat(4000), fc.nat(600), fc.nat(1e5), (left, position, wanted, pending) => {
        const ledger = spent({ flops: 500_000 + left });
        const allowed = ledger.allowance("draft", position, wanted, pending);
        expect(allowed).toBeLessThanOrEqual(wanted);
        if (allowed > 0) expect(spanFlops(size, position, allowed)).toBeLessThanOrEqual(left - pending);
        if (allowed < wanted) expect(spanFlops(size, position, allowed + 1)).toBeGreaterThan(left - pending);
      }),
    );
  });

  test("tokens are limited per role, discarded ones included", () => {
    const ledger = spent({ "draft-tokens": 50 });
    ledger.charge({ type: "step-pruned", node: "x", role: "draft", tokens: 40 });
    expect(ledger.allowance("draft", 0, 100)).toBe(10);
    expect(ledger.allowance("target", 0, 100)).toBe(100);
  });

  test("claims that stand together never exceed what is left", () => {
    const claims = fc.array(
      fc.record({
        role: fc.constantFrom("draft" as const, "target" as const, "reward" as const),
        tokens: fc.nat(60),
        passes: fc.nat(2),
        flops: fc.nat(200_000),
        dropped: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(claims, (asked) => {
        const ledger = spent({ "draft-tokens": 140, "reward-passes": 3, flops: 1e6 });
        let standing: (typeof asked)[number][] = [];
        for (const claim of asked) {
          const release = ledger.claim(claim);
          if (!release) continue;
          if (claim.dropped) release();
          else standing = [...standing, claim];
          const sum = (pick: (one: typeof claim) => number) =>
            standing.reduce((total, one) => total + pick(one), 0);
          expect(40 + sum((one) => (one.role === "draft" ? one.tokens : 0))).toBeLessThanOrEqual(140);
          expect(sum((one) => one.passes)).toBeLessThanOrEqual(3);
          expect(500_000 + sum((one) => one.flops)).toBeLessThanOrEqual(1e6);
        }
      }),
    );
  });

  test("what is not limited always fits", () => {
    expect(spent({}).claim({ role: "target", tokens: 1e9, passes: 1e9, flops: 1e30 })).toBeDefined();
  });
});
