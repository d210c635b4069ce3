import { describe, expect, test } from "vitest";
import bestOfN from "../methods/best-of-n.js";
import rsd from "../methods/rsd.js";
import { eventsOf } from "../testing/small-models.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import type { Method } from "./method.js";
import type { TraceEvent } from "./trace-event.js";
import { whatIf } from "./what-if.js";

async function record(method: Method, options: Record<string, unknown> = {}): Promise<TraceEvent[]> {
  const { roles } = toyWorld(method);
  const request = { method, options, question: toyQuestion, seed: 1, sampling: { temperature: 1 }, roles };
  return (await eventsOf(request)).filter((event): event is TraceEvent => event.type !== "text-written");
}

const decisions = (events: readonly TraceEvent[]) =>
  events.flatMap((event) => (event.type === "coin-tossed" ? [[event.node, event.heads]] : []));

describe("what a recorded run tells of other options", () => {
  test("with the recorded options it is the recorded run", async () => {
    const events = await record(rsd);
    const { options } = events[0] as Extract<TraceEvent, { type: "run-started" }>;
    const found = await (await whatIf(events, rsd))(options);
    const end = events.at(-1) as Extract<TraceEvent, { type: "run-finished" }>;
    expect(found.node).toBe(end.node);
    expect(decisions(found.events)).toEqual(decisions(events));
  });

  test("a threshold that changes no decision leads to the same end, one that does to the unknown", async () => {
    const events = await record(rsd, { threshold: 0.7 });
    const rewards = events.flatMap((event) => (event.type === "step-scored" ? [event.value] : []));
    const ask = await whatIf(events, rsd);
    const above = Math.min(...rewards.filter((reward) => reward >= 0.7));
    expect((await ask({ threshold: above })).node).not.toBeNull();
    const higher = await ask({ threshold: above + 1e-9 });
    expect(higher.node).toBeNull();
    const changed = decisions(higher.events).at(-1)!;
    expect(changed[1]).toBe(false);
    expect(decisions(events)).toContainEqual([changed[0], true]);
  });

  test("a choice among recorded answers is known to its end", async () => {
    const events = await record(bestOfN, { samples: 4 });
    const ask = await whatIf(events, bestOfN);
    expect((await ask({ samples: 4 })).node).not.toBeNull();
    expect((await ask({ samples: 2 })).node).not.toBeNull();
    expect((await ask({ samples: 5 })).node).toBeNull();
  });

  test("a step drawn at another temperature is not the recorded one", async () => {
    const warm: Method = { ...bestOfN, run: (search) => warmer(search, 1) };
    const events = await record(warm);
    const hot: Method = { ...warm, run: (search, options) => warmer(search, Number(options.samples)) };
    expect((await (await whatIf(events, hot))({ samples: 1 })).node).toBeNull();
  });

  test("options that the method refuses are refused", async () => {
    const ask = await whatIf(await record(rsd), rsd);
    await expect(ask({ threshold: 3 })).rejects.toMatchObject({ code: "invalid-option" });
  });
});

async function warmer(search: Parameters<Method["run"]>[0], temperature: number) {
  const node = await search.extend(search.root, { role: "draft", sampling: { temperature } });
  return search.finish(search.commit(node));
}
