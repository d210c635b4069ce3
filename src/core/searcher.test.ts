import { expect, test } from "vitest";
import rsd from "../methods/rsd.js";
import { ScriptedModel, ScriptedReward, VirtualClock } from "../testing/index.js";
import { longRequest, longRoles } from "../testing/long-run.js";
import { ledgerOf } from "./ledger.js";
import { defineMethod, type Method } from "./method.js";
import { type RunRequest, startRun } from "./run.js";
import type { Node, Search } from "./search.js";
import type { TraceEvent } from "./trace-event.js";

/** A method made of one function, with all roles. */
const doing = (run: (search: Search) => Promise<Node | undefined>): Method =>
  defineMethod({
    ...rsd,
    name: "doing",
    async run(search) {
      return search.finish((await run(search)) ?? search.root);
    },
  }) as Method;

const counting = (more: object = {}) =>
  new ScriptedModel({
    law: {
      steps: (_, steps) =>
        ["a", "b", "c", "d"].map((word) => ({ text: `${word}${steps.length}\n\n`, probability: 0.25 })),
    },
    ...more,
  });

const world = (more: object = {}) => ({
  draft: counting(more),
  target: counting(more),
  reward: new ScriptedReward({ score: () => 0.5, ...more }),
});

async function eventsOf(request: RunRequest): Promise<TraceEvent[]> {
  const run = startRun(request);
  const seen: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") seen.push(event);
  await run.result;
  return seen;
}

test("a run holds open only what it may still need", async () => {
  const roles = longRoles();
  const most = { draft: 0, target: 0, reward: 0 };
  for await (const _ of startRun({ ...longRequest(roles), maxSteps: 200 })) {
    most.draft = Math.max(most.draft, roles.draft.liveBranches);
    most.target = Math.max(most.target, roles.target.liveBranches);
    most.reward = Math.max(most.reward, roles.reward.liveScorers);
  }
  // The decided node's, the child's, and one that is being caught up.
  expect(most.draft).toBeLessThanOrEqual(3);
  expect(most.target).toBeLessThanOrEqual(3);
  expect(most.reward).toBeLessThanOrEqual(3);
});

test("a step that comes after its parent was given up is paid for, discarded and freed", async () => {
  const roles = world();
  const method = doing(async (search) => {
    const node = await search.extend(search.root, { role: "draft" });
    const score = search.score(node);
    const late = search.extend(node, { role: "draft" });
    const caughtUp = search.extend(node, { role: "target" });
    search.prune(node);
    await expect(Promise.all([late, caughtUp])).resolves.toHaveLength(2);
    expect(roles.draft.liveBranches).toBe(1);
    expect(roles.target.liveBranches).toBe(1);
    expect(await score).toBe(0.5);
    expect(roles.reward.liveScorers).toBe(1);
    return undefined;
  });
  const seen = await eventsOf({ method, question: "?", roles });
  const spent = ledgerOf(seen);
  expect(spent.draft).toMatchObject({ calls: 2, decodeTokens: 8, discardedTokens: 8 });
  expect(spent.target).toMatchObject({ calls: 1, decodeTokens: 4, discardedTokens: 4 });
  expect(roles.draft.liveBranches + roles.target.liveBranches).toBe(0);
});

test("many nodes at once are one batch: they take as long as one, with and without a limit", async () => {
  for (const budget of [{}, { flops: 1e12, "draft-tokens": 1e6, "reward-passes": 1e6 }]) {
    const clock = new VirtualClock();
    const roles = world({ delay: () => 1, sleep: clock.sleep });
    const took: number[] = [];
    const method = doing(async (search) => {
      let nodes = [search.root];
      for (let round = 0; round < 3; round++) {
        const before = clock.now();
        const requests = Array.from({ length: 16 }, (_, index) => ({
          node: nodes[index % nodes.length]!,
          role: "draft" as const,
        }));
        nodes = (await search.extendAll(requests)) as typeof nodes;
        await search.scoreAll(nodes);
        took.push(clock.now() - before);
      }
      return undefined;
    });
    await startRun({ method, question: "?", roles, sampling: { temperature: 1 }, clock, budget }).result;
    // The first round opens and reads the prompt too; under a limit its first call shows what a call costs.
    expect(took[0]).toBeLessThanOrEqual(6);
    expect(took.slice(1)).toEqual([2, 2]);
  }
});

test("what siblings share is read once by a role that comes to them late", async () => {
  const roles = world();
  const method = doing(async (search) => {
    let node = search.root;
    for (let depth = 0; depth < 5; depth++) node = await search.extend(node, { role: "draft" });
    const fan = await search.extendAll([0, 1, 2].map(() => ({ node, role: "draft" as const })));
    await search.extendAll(fan.map((sibling) => ({ node: sibling, role: "target" as const })));
    return undefined;
  });
  const seen = await eventsOf({ method, question: "?", roles, sampling: { temperature: 1 } });
  // Five shared steps of four tokens once, then one step each.
  expect(ledgerOf(seen).target!.read.catchUp).toBe(5 * 4 + 3 * 4);
});

test("no limit of FLOPs is overrun by calls side by side, whatever the vocabularies", async () => {
  const depths = [0, 1, 2, 3, 4, 5, 6];
  const words = depths.map((depth) =>
    ["a", "the"].map((article) => `${article} long step that is one token: ${depth}\n\n`),
  );
  const law = {
    steps: (_: string, steps: readonly string[]) =>
      words[steps.length]!.map((text) => ({ text, probability: 0.5 })),
  };
  const open = (nodes: readonly Node[], role: "draft" | "target") =>
    nodes.filter((node) => !node.finish).map((node) => ({ node, role }));
  const request = (budget: object): RunRequest => ({
    method: doing(async (search) => {
      let nodes: Node[] = [search.root];
      for (let depth = 0; depth < 4; depth++) nodes = await search.extendAll(open(nodes, "draft"));
      nodes = await search.extendAll(
        open(
          [0, 1, 2, 3].flatMap(() => nodes),
          "draft",
        ),
      );
      nodes = await search.extendAll(open(nodes, "target"));
      await search.extendAll(open(nodes, "target"));
      return undefined;
    }),
    ...{ question: "?", system: null, budget, sampling: { temperature: 1 }, maxStepTokens: 40 },
    roles: {
      draft: new ScriptedModel({ law, pieces: words.flat() }),
      target: new ScriptedModel({ law }),
      reward: world().reward,
    },
  });
  const full = (await startRun(request({})).result).ledger.total.flops;
  for (let share = 0; share < 1.5; share += 0.01) {
    const { ledger } = await startRun(request({ flops: full * share })).result;
    expect(ledger.total.flops).toBeLessThanOrEqual(full * share);
  }
});

test("siblings draw from streams of their own, and no stream comes twice", async () => {
  const roles = world();
  const keys: string[] = [];
  const extendOf = roles.draft.open.bind(roles.draft);
  roles.draft.open = async (...given) => spied(await extendOf(...given));
  function spied(branch: Awaited<ReturnType<typeof extendOf>>): typeof branch {
    const [fork, extend] = [branch.fork.bind(branch), branch.extend.bind(branch)];
    branch.fork = () => spied(fork());
    branch.extend = (options) => {
      keys.push(`${options.key} at ${branch.length}`);
      return extend(options);
    };
    return branch;
  }
  const method = doing(async (search) => {
    let nodes = [search.root];
    for (let round = 0; round < 3; round++) {
      const requests = nodes.flatMap((node) => [0, 1, 2].map(() => ({ node, role: "draft" as const })));
      nodes = (await search.extendAll(requests)) as typeof nodes;
    }
    return undefined;
  });
  const { ledger } = await startRun({ method, question: "?", roles, sampling: { temperature: 1 } }).result;
  // The method decided for none of them.
  expect(ledger.draft!.discardedTokens).toBe(ledger.draft!.decodeTokens);
  expect(keys).toHaveLength(3 + 9 + 27);
  expect(new Set(keys).size).toBe(keys.length);
});

test("scores are asked once, and a scorer reads rewritten steps without scoring them", async () => {
  const roles = world();
  const method = doing(async (search) => {
    const first = search.commit(await search.extend(search.root, { role: "target" }));
    const second = await search.extend(first, { role: "draft" });
    expect(await Promise.all([search.score(second), search.score(second)])).toEqual([0.5, 0.5]);
    expect(await search.score(second)).toBe(0.5);
    expect(second.reward).toBe(0.5);
    return second;
  });
  const seen = await eventsOf({ method, question: "?", roles });
  expect(seen.filter((event) => event.type === "step-scored")).toMatchObject([
    { node: "0.0", usage: { prefillTokens: "?".length + 4 + 4 } },
  ]);
  expect(roles.reward.passes).toBe(1);
});

test("vocabularies that agree hand over ids, others text", async () => {
  for (const same of [true, false]) {
    const roles = {
      ...world(),
      draft: counting({ pieces: ["a0\n\n", "b0\n\n", "c0\n\n", "d0\n\n"] }),
      target: counting(same ? { pieces: ["a0\n\n", "b0\n\n", "c0\n\n", "d0\n\n"] } : {}),
    };
    const method = doing(async (search) => {
      const drafted = search.commit(await search.extend(search.root, { role: "draft" }));
      const rewritten = search.commit(await search.extend(drafted, { role: "target" }));
      return search.extend(rewritten, { role: "draft" });
    });
    const seen = await eventsOf({ method, question: "?", roles });
    const reads = seen
      .filter((event) => event.type === "context-read")
      .filter((event) => event.purpose === "catch-up");
    expect(reads.map(({ role, usage }) => [role, usage.prefillTokens])).toEqual([
      ["target", same ? 1 : 4],
      ["draft", 4],
    ]);
  }
});

test("a call that the method left behind takes nothing down when the run ends", async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown) => unheard.push(reason);
  process.on("unhandledRejection", listen);
  const method = doing(async (search) => {
    void search.extend(search.root, { role: "draft" });
    void search.extendAll([{ node: search.root, role: "target" }]);
    void search.scoreAll([search.root]);
    return undefined;
  });
  const hanging = { fault: () => ({ kind: "hang" as const }) };
  const { finish } = await startRun({ method, question: "?", roles: world(hanging) }).result;
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("unhandledRejection", listen);
  expect(unheard).toEqual([]);
  expect(finish).toBe("length");
});
