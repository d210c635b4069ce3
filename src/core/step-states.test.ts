/** Hidden states go from the models of a run to its reward, and nowhere else. */
import { expect, test } from "vitest";
import rsd from "../methods/rsd.js";
import { eventsOf } from "../testing/small-models.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { type Model, noUsage } from "./model.js";
import type { AppendOptions, Reward, Scorer, StepLikelihood } from "./reward.js";
import { replay, startRun } from "./run.js";
import type { Step } from "./step.js";
import type { TraceEvent } from "./trace-event.js";

interface Seen {
  readonly step: Step;
  readonly read: StepLikelihood | undefined;
}

/** Draft and target have states: how long the text before is, and whose it is. */
function worldWith(watched: "draft" | "target" | "both" | "none") {
  const hidden = (whose: number) => ({ hidden: ({ text }: { text: string }) => [whose, text.length] });
  const world = toyWorld(rsd, { draft: hidden(1), target: hidden(2) } as object);
  const { draft, target } = world;
  const readsStatesOf: Model[] = {
    ...{ draft: [draft], target: [target] },
    ...{ both: [draft, target], none: [] },
  }[watched];
  const seen: Seen[] = [];
  const scorer: Scorer = {
    async append(step: Step, { likelihood }: AppendOptions = {}) {
      seen.push({ step, read: await likelihood?.(target, { states: readsStatesOf.includes(target) }) });
      return { value: step.text.startsWith("right") ? 0.9 : 0.1, usage: noUsage };
    },
    skip() {},
    fork: () => scorer,
    drop() {},
  };
  const reward: Reward = {
    ...{ name: "watching", essence: "", readsStatesOf },
    open: async () => scorer,
    [Symbol.asyncDispose]: async () => {},
  };
  const roles = { ...world.roles, reward };
  return { seen, request: { method: rsd, question: toyQuestion, seed: 1, roles, id: "run-1" } };
}

const ofDraft = (seen: readonly Seen[]) => seen.filter(({ step }) => step.origin === "draft");

test("steps carry the states of the models that the reward looks at, and of no other", async () => {
  for (const watched of ["draft", "target", "both", "none"] as const) {
    const { seen, request } = worldWith(watched);
    await startRun(request).result;
    expect(ofDraft(seen).length).toBeGreaterThan(3);
    for (const { step, read } of ofDraft(seen)) {
      const { tokens, states } = step;
      const isWatched = watched === "draft" || watched === "both";
      expect(states?.end[0]).toBe(isWatched ? 1 : undefined);
      // The state before the last token stands behind all of the text but that token.
      if (isWatched) expect(states!.mean[1]).toBeLessThan(states!.end[1]!);
      expect(tokens.length).toBeGreaterThan(1);
      // The target has read the draft's step where it would write on.
      const isRead = watched === "target" || watched === "both";
      expect(read?.logprobs).toHaveLength(tokens.length);
      expect(read?.entropies).toHaveLength(tokens.length);
      expect(read?.states?.end).toEqual(
        isRead ? Float32Array.from([2, states?.end[1] ?? read!.states!.end[1]!]) : undefined,
      );
    }
  }
});

test("what a model wrote in the run tells its own states at no cost; of a recorded step it reads them", async () => {
  const { seen, request } = worldWith("both");
  const method = {
    ...rsd,
    async run(search: Parameters<typeof rsd.run>[0]) {
      const node = await search.extend(search.root, { role: "target" });
      await Promise.all([search.score(node), search.likelihood(node, "draft"), search.score(node)]);
      return search.finish(node);
    },
  };
  const events = (await eventsOf({ ...request, method })).filter(
    (event): event is TraceEvent => event.type !== "text-written",
  );
  expect(seen).toHaveLength(1);
  expect(seen[0]!.read).toMatchObject({ logprobs: seen[0]!.step.logprobs, usage: noUsage });
  expect(seen[0]!.read!.states).toBe(seen[0]!.step.states);

  const unscored = events.findIndex((event) => event.type === "step-scored");
  const resumed = worldWith("both");
  await startRun({ ...resumed.request, method, recording: events.slice(0, unscored) }).result;
  const { step, read } = resumed.seen[0]!;
  expect(step.states).toBeUndefined();
  expect(read).toMatchObject({ logprobs: step.logprobs, states: seen[0]!.step.states });
  expect(read!.usage.prefillTokens).toBeGreaterThanOrEqual(step.tokens.length);
});

test("no event holds states; a resumed run reads them where its recorded steps have none", async () => {
  const whole = worldWith("both");
  const events = (await eventsOf(whole.request)).filter(
    (event): event is TraceEvent => event.type !== "text-written",
  );
  expect(JSON.stringify(events)).not.toContain("states");
  const plain = await eventsOf({ ...worldWith("none").request });
  const texts = (list: readonly { type: string; text?: unknown }[]) =>
    list.flatMap((event) => (event.type === "step-written" ? [event.text] : []));
  expect(texts(events)).toEqual(texts(plain));
  await replay(events, rsd);

  // Cut behind a step that was written and not scored.
  const cut = events.findIndex((event) => event.type === "step-scored");
  const resumed = worldWith("both");
  const result = await startRun({ ...resumed.request, recording: events.slice(0, cut) }).result;
  expect(result.steps).toEqual((await startRun(worldWith("both").request).result).steps);
  expect(resumed.seen[0]!.step.states).toBeUndefined();
  expect(resumed.seen[0]!.read!.states!.end[0]).toBe(2);
  expect(resumed.seen[1]!.step.states).toBeDefined();
});
