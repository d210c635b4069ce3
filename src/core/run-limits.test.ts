import { describe, expect, test } from "vitest";
import draftAlone from "../methods/draft.js";
import rsd from "../methods/rsd.js";
import targetAlone from "../methods/target.js";
import { VirtualClock } from "../testing/index.js";
import { answer, fixed } from "../testing/small-models.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { defineMethod } from "./method.js";
import { replay, startRun } from "./run.js";
import type { TraceEvent } from "./trace-event.js";

describe("aborting and budgets", () => {
  test("case 38: an abort before the start rejects at once and touches no model", async () => {
    const world = toyWorld(rsd);
    const run = startRun({ method: rsd, question: "?", roles: world.roles, signal: AbortSignal.abort() });
    await expect(run.result).rejects.toMatchObject({ code: "aborted" });
    expect(world.calls()).toBe(0);
  });

  test("a back end that ignores the abort cannot hold the run up for long", async () => {
    const clock = new VirtualClock();
    const deaf = fixed("x");
    deaf.renderChat = () => new Promise(() => {});
    const controller = new AbortController();
    const run = startRun({
      method: draftAlone,
      question: "?",
      roles: { draft: deaf },
      clock,
      signal: controller.signal,
    });
    controller.abort();
    await clock.sleep(3);
    expect(await run.result).toMatchObject({ finish: "abort", text: "" });
  });

  test("an aborted run keeps what was decided, and resumes from there", async () => {
    const clock = new VirtualClock();
    const slow = { delay: () => 1, sleep: clock.sleep };
    const request = { method: rsd, question: toyQuestion, seed: 5, sampling: { temperature: 1 }, id: "x" };
    const whole = await startRun({ ...request, roles: toyWorld(rsd).roles }).result;
    for (let moment = 0.5; moment < 20; moment++) {
      const controller = new AbortController();
      const kept: TraceEvent[] = [];
      const roles = toyWorld(rsd, { draft: slow, target: slow, reward: slow }).roles;
      const run = startRun({ ...request, roles, clock, signal: controller.signal });
      void clock.sleep(moment).then(() => controller.abort());
      for await (const event of run) if (event.type !== "text-written") kept.push(event);
      const cut = await run.result;
      expect(whole.text.startsWith(cut.text)).toBe(true);
      expect(await replay(kept, rsd)).toEqual(cut);
      const resumed = await startRun({ ...request, roles: toyWorld(rsd).roles, recording: kept }).result;
      expect(resumed.steps).toEqual(whole.steps);
    }
  });

  test("a step cut by the budget ends the answer, and says so", async () => {
    const result = await startRun({
      ...{ method: targetAlone, question: "?", roles: { target: fixed("a long step without end") } },
      budget: { "target-tokens": 10 },
    }).result;
    expect(result).toMatchObject({ text: "a long ste", finish: "budget" });
    expect(result.ledger.target!.decodeTokens).toBe(10);
  });

  test("parallel calls share a hard limit and never overrun it", async () => {
    const wide = defineMethod({
      ...draftAlone,
      name: "wide",
      async run(search) {
        const at = { node: search.root, role: "draft" as const };
        const nodes = await search.extendAll(Array.from({ length: 10 }, () => at));
        return search.finish(nodes[0]!);
      },
    });
    for (const limit of [0, 1, 25, 79, 80, 81, 5000]) {
      for (const maxStepTokens of [10, 100]) {
        const run = startRun({
          ...{ method: wide, question: "?", roles: { draft: fixed("7 bytes") }, maxStepTokens },
          budget: { "draft-tokens": limit },
        });
        const { ledger, finish } = await run.result;
        // Every token that the limit allows is used, and not one more.
        expect(ledger.draft!.decodeTokens).toBe(Math.min(limit, 90));
        expect(finish).toBe(limit < 90 ? "budget" : "length");
      }
    }
  });

  test("a method that saves itself when the budget ends has its own answer kept, as cut", async () => {
    const saving = defineMethod({
      ...draftAlone,
      name: "saving",
      async run(search) {
        const best = await search.extend(search.root, { role: "draft" });
        try {
          await search.extend(best, { role: "draft" });
        } catch {
          return search.finish(best);
        }
        return search.finish(search.root);
      },
    });
    const roles = { draft: answer(["one", "two"]) };
    const run = startRun({ method: saving, question: "?", roles, budget: { "draft-tokens": 5 } });
    expect(await run.result).toMatchObject({ text: "one", finish: "budget" });
  });

  test("many runs give up only their own work", async () => {
    const world = toyWorld(rsd);
    const controller = new AbortController();
    const runs = Array.from({ length: 20 }, (_, seed) =>
      startRun({
        method: rsd,
        question: toyQuestion,
        roles: world.roles,
        seed,
        ...(seed % 2 === 0 && { signal: controller.signal }),
      }),
    );
    controller.abort();
    const finishes = await Promise.all(runs.map(async (run) => (await run.result).finish));
    expect(finishes).toEqual(finishes.map((_, seed) => (seed % 2 === 0 ? "abort" : "stop")));
    expect(world.live()).toBe(0);
  });
});
