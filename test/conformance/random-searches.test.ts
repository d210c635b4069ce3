/** A method that does anything at random, under any limits: the promises of a search hold whatever is asked of it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { ledgerOf } from "../../src/core/ledger.js";
import { defineMethod, type Method } from "../../src/core/method.js";
import { type RunRequest, type RunResult, replay, startRun } from "../../src/core/run.js";
import type { Node, Search, Writer } from "../../src/core/search.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import { ScriptedModel, ScriptedReward, sumOfEvents } from "../../src/testing/index.js";

const law = (shift: number) => ({
  steps: (_: string, steps: readonly string[]) =>
    ["ab", "c, d", "e"].map((text, index) => ({
      text: `${text} ${steps.length}`,
      probability: ((index + shift) % 3 === 0 ? 2 : 1) / 4,
      end: steps.length > 4,
    })),
});

const thirtySeconds = (most: number) => Array.from({ length: 33 }, (_, index) => (most * index) / 32);

const world = () => ({
  draft: new ScriptedModel({ name: "small", law: law(0), pieces: ["ab ", "e 1\n\n"] }),
  target: new ScriptedModel({ name: "large", law: law(1) }),
  reward: new ScriptedReward({
    score: (_, steps) => (steps.at(-1)!.length % 5) / 5,
    advice: { threshold: 0.5, shares: thirtySeconds(1), lengths: thirtySeconds(60) },
  }),
});

/** Does `actions` things, each drawn from the run's own random numbers, so that it can be replayed. */
const wandering = defineMethod({
  name: "wandering",
  essence: "does anything at random",
  kind: "search",
  source: "test",
  needs: { draft: ["text", "logits"], target: ["text", "logits"], reward: true },
  schema: z.object({ actions: z.int().default(12) }),
  async run(search, { actions }) {
    const walk = new Walk(search);
    for (let action = 0; action < actions; action++) await walk.act(action);
    return search.finish(walk.nodes.at(-1)!);
  },
}) as Method;

class Walk {
  nodes: Node[];
  readonly #search: Search;
  #draws = 0;

  constructor(search: Search) {
    this.#search = search;
    this.nodes = [search.root];
  }

  /** A whole number below `count`, from the run's own random numbers. */
  #below(count: number): number {
    return Math.floor(this.#search.uniform(this.#search.root, "walk", this.#draws++) * count);
  }

  async act(action: number): Promise<void> {
    const search = this.#search;
    const node = this.nodes[this.#below(this.nodes.length)]!;
    const role: Writer = this.#below(2) === 0 ? "draft" : "target";
    const open = !node.finish;
    switch ((action * 5 + this.#below(12)) % 12) {
      case 0:
        this.nodes.push(search.begin(`other ${action}`));
        return;
      case 1:
        if (open) {
          const handsOver = this.#below(2) === 0;
          this.nodes.push(...(await search.extendAll([0, 1, 2].map(() => ({ node, role, handsOver })))));
        }
        return;
      case 2:
        if (open) {
          const splitter = { kind: "none" } as const;
          this.nodes.push(...(await search.extendFirst([0, 1].map(() => ({ node, role, splitter })))));
        }
        return;
      case 3:
        if (open) this.nodes.push(await search.append(node, { role, content: "so, " }));
        return;
      case 4: {
        const { tokens } = await search.candidates(node, role, 2);
        if (open) this.nodes.push(await search.append(node, { role, content: tokens.slice(0, 1) }));
        return;
      }
      case 5:
        if (node.step) await search.likelihoodAll([node, node], role);
        return;
      case 6:
        if (node.step) await search.scoreAll([node]);
        return;
      case 7:
        search.offer(node, this.#below(3));
        return;
      case 8:
        await search.sameAnswer(
          (await search.answer(node)) ?? "",
          (await search.answer(this.nodes[0]!)) ?? "",
        );
        await search.check(node);
        return;
      case 9:
        if (node.step && !isCommitted(node, this.nodes)) {
          search.prune(node);
          this.#forget((other) => isUnder(other, node));
        }
        return;
      case 10:
        expect(await search.threshold(node, role)).toBeLessThanOrEqual(0.5);
        return;
      default: {
        search.commit(node);
        const root = rootOf(node);
        this.#forget((other) => rootOf(other) === root && !isUnder(other, node));
      }
    }
  }

  #forget(gone: (node: Node) => boolean): void {
    this.nodes = this.nodes.filter((node) => !gone(node));
    if (this.nodes.length === 0) this.nodes.push(this.#search.begin("again"));
  }
}

function isUnder(node: Node, top: Node): boolean {
  for (let at: Node | null = node; at; at = at.parent) if (at === top) return true;
  return false;
}

function rootOf(node: Node): Node {
  let root = node;
  while (root.parent) root = root.parent;
  return root;
}

/** What is decided for is the shallowest node of its tree that may still be used. */
function isCommitted(node: Node, nodes: readonly Node[]): boolean {
  return nodes.every((other) => rootOf(other) !== rootOf(node) || isUnder(other, node));
}

async function carryOut(request: RunRequest): Promise<{ result: RunResult; events: TraceEvent[] }> {
  const run = startRun(request);
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

const anyRequest = fc.record({
  seed: fc.nat(10_000),
  actions: fc.integer({ min: 1, max: 40 }),
  maxTokens: fc.integer({ min: 3, max: 60 }),
  cutAt: fc.double({ min: 0, max: 1, noNaN: true }),
  budget: fc.record(
    {
      "draft-tokens": fc.nat(150),
      "target-tokens": fc.nat(150),
      "reward-passes": fc.nat(5),
      flops: fc.nat(3e6),
    },
    { requiredKeys: [] },
  ),
});

test("money adds up, limits hold, nothing stays open, and traces replay and resume", async () => {
  const seen = new Set<TraceEvent["type"]>();
  await fc.assert(
    fc.asyncProperty(anyRequest, async ({ seed, actions, maxTokens, budget, cutAt }) => {
      const roles = world();
      const request: RunRequest = {
        ...{ method: wandering, options: { actions }, question: "?", roles, id: "any" },
        ...{ seed, maxTokens, budget, sampling: { temperature: 1 } },
      };
      const { result, events } = await carryOut(request);
      for (const { type } of events) seen.add(type);
      expect(roles.draft.liveBranches + roles.target.liveBranches + roles.reward.liveScorers).toBe(0);
      expect(ledgerOf(events)).toEqual(result.ledger);
      const { total, ...spent } = result.ledger;
      expect(spent).toEqual(sumOfEvents(events));
      expect(spent.draft!.decodeTokens).toBeLessThanOrEqual(budget["draft-tokens"] ?? Infinity);
      expect(spent.target!.decodeTokens).toBeLessThanOrEqual(budget["target-tokens"] ?? Infinity);
      expect(spent.reward!.calls).toBeLessThanOrEqual(budget["reward-passes"] ?? Infinity);
      expect(total.flops).toBeLessThanOrEqual(budget.flops ?? Infinity);
      // What is not in the answer was discarded, and nothing twice.
      const path = new Set<string>();
      const last = events.findLast((event) => event.type === "run-finished")!;
      const parts = last.node.split(".");
      for (const [index] of parts.entries()) path.add(parts.slice(0, index + 1).join("."));
      for (const role of ["draft", "target"] as const) {
        const kept = events
          .filter((event) => event.type === "step-written")
          .filter((event) => path.has(event.node));
        const written = kept
          .filter((event) => event.role === role)
          .reduce((sum, { usage }) => sum + usage.decodeTokens, 0);
        expect(spent[role]!.decodeTokens - spent[role]!.discardedTokens).toBe(written);
      }
      expect(await replay(events, wandering)).toEqual(result);
      if (Object.keys(budget).includes("flops")) return; // reading again after a cut costs FLOPs of its own
      const recording = events.slice(0, 1 + Math.floor(cutAt * (events.length - 1)));
      const resumed = await carryOut({ ...request, roles: world(), recording });
      expect(resumed.result.steps).toEqual(result.steps);
      expect(resumed.result.finish).toBe(result.finish);
      expect(await replay(resumed.events, wandering)).toEqual(resumed.result);
    }),
    { numRuns: 300 },
  );
  const expected: TraceEvent["type"][] = [
    "root-begun",
    "step-read",
    "candidates-read",
    "threshold-advised",
    "answers-compared",
  ];
  for (const type of [
    ...expected,
    "answer-read",
    "answer-checked",
    "answer-offered",
    "step-committed",
  ] as const) {
    expect(seen).toContain(type);
  }
});
