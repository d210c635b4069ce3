/** Every method once more with models that speculate: by the agreement rule nothing but costs may differ. */
import { describe, expect, test } from "vitest";
import { ledgerOf } from "../../src/core/ledger.js";
import { type RunRoles, replay } from "../../src/core/run.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import { methods } from "../../src/methods/index.js";
import { speculate } from "../../src/speculation/speculate.js";
import { MethodBench } from "../../src/testing/method-bench.js";
import type { ToyWorld } from "../../src/testing/toy-world.js";

/** Methods that choose every token themselves leave nothing to draft. */
const choosing = new Set(["momentum"]);

async function speculatingRoles({ draft, target, roles }: ToyWorld): Promise<RunRoles> {
  const controller = "fixed?depth=5";
  return {
    ...roles,
    ...(roles.target && { target: await speculate(target, { drafter: "model", draft, controller }) }),
    ...(roles.draft && { draft: await speculate(draft, { drafter: "suffix", controller }) }),
  };
}

/** The events without what drafting changes: what things cost, what was read for it, and who drafts. */
function decisions(events: readonly TraceEvent[]): unknown[] {
  return events
    .filter(({ type }) => type !== "context-read" && type !== "run-finished")
    .map((event) => {
      const {
        usage: _,
        speculation: __,
        roles: ___,
        elapsed: ____,
        ...decided
      } = event as Record<string, unknown>;
      return decided;
    });
}

for (const method of await methods.all()) {
  describe(`${method.name}, speculating`, () => {
    const bench = new MethodBench(method, {});

    test("decides and writes what it does with plain decoding, and counts what drafting cost", async () => {
      let drafted = 0;
      for (let seed = 0; seed < 2; seed++) {
        const plain = await bench.run({ seed });
        const world = bench.world();
        const roles = await speculatingRoles(world);
        const { result, events } = await bench.run({ seed, roles });
        expect(decisions(events)).toEqual(decisions(plain.events));
        expect(result.steps).toEqual(plain.result.steps);
        expect(world.live()).toBe(0);
        expect(ledgerOf(events)).toEqual(result.ledger);
        for (const spending of [result.ledger.draft, result.ledger.target]) {
          if (!spending) continue;
          const { prompt, catchUp, recomputed, reward, rejected = 0, drafting = 0 } = spending.read;
          expect(prompt + catchUp + recomputed + reward + rejected + drafting).toBe(spending.prefillTokens);
          expect(Math.min(prompt, catchUp, rejected, drafting)).toBeGreaterThanOrEqual(0);
          drafted += spending.speculation?.drafted ?? 0;
        }
        if (method.needs.target && result.ledger.target!.speculation) {
          expect(result.ledger.draft!.read.drafting).toBeGreaterThan(0);
        }
      }
      expect(drafted > 0).toBe(!choosing.has(method.name));
    });

    test("replays without a model, and goes on from where it was cut", async () => {
      const { result, events } = await bench.run({ roles: await speculatingRoles(bench.world()) });
      expect(await replay(events, method)).toEqual(result);
      for (const share of [0.3, 0.7]) {
        const recording = events.slice(0, Math.ceil(share * events.length));
        const resumed = await bench.run({ recording, roles: await speculatingRoles(bench.world()) });
        expect(resumed.result.steps).toEqual(result.steps);
        expect(ledgerOf(resumed.events)).toEqual(resumed.result.ledger);
      }
      const recording = events.slice(0, 3);
      await expect(bench.run({ recording, roles: bench.world().roles })).rejects.toThrow(
        /another (draft|target)/,
      );
    });

    test("never spends more FLOPs than its budget", async () => {
      const full = (await bench.run({ roles: await speculatingRoles(bench.world()) })).result.ledger.total
        .flops;
      for (const share of [0.15, 0.6]) {
        const world = bench.world();
        const roles = await speculatingRoles(world);
        const { result } = await bench.run({ roles, budget: { flops: share * full } });
        expect(result.ledger.total.flops).toBeLessThanOrEqual(share * full);
        expect(world.live()).toBe(0);
      }
    });
  });
}
