import { describe, expect, test } from "vitest";
import draftAlone from "../methods/draft.js";
import rsd from "../methods/rsd.js";
import { eventsOf } from "../testing/small-models.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { replay, startRun } from "./run.js";
import type { TraceEvent } from "./trace-event.js";

describe("a recording", () => {
  const request = { method: rsd, question: toyQuestion, seed: 1, sampling: { temperature: 1 } };
  const recorded = async () =>
    (await eventsOf({ ...request, roles: toyWorld(rsd).roles })).filter(
      (event): event is TraceEvent => event.type !== "text-written",
    );

  test("of another run is refused, naming what differs", async () => {
    const recording = await recorded();
    const { roles } = toyWorld(rsd);
    const other = (change: object) => () => startRun({ ...request, roles, recording, ...change });
    expect(other({ seed: 2 })).toThrow(expect.objectContaining({ code: "trace-diverged", subject: "seed" }));
    expect(other({ question: "else" })).toThrow(expect.objectContaining({ subject: "question" }));
    expect(other({ options: { threshold: 0.5 } })).toThrow(expect.objectContaining({ subject: "options" }));
    expect(other({ method: draftAlone })).toThrow(expect.objectContaining({ subject: "method" }));
    const swapped = toyWorld(rsd, { draft: { ...{ name: "another" } } as object });
    expect(other({ roles: swapped.roles })).toThrow(expect.objectContaining({ subject: "draft" }));
    expect(other({ recording: recording.slice(1) })).toThrow(
      expect.objectContaining({ code: "trace-invalid" }),
    );
  });

  test("that the method does not come to diverges at the record where it does not", async () => {
    const recording = (await recorded()).map((event) =>
      event.type === "coin-tossed" && event.node === "0" ? { ...event, heads: !event.heads } : event,
    );
    await expect(
      startRun({ ...request, roles: toyWorld(rsd).roles, recording }).result,
    ).rejects.toMatchObject({ code: "trace-diverged" });
    await expect(replay(recording, rsd)).rejects.toMatchObject({ code: "trace-diverged" });
  });

  test("that is not finished cannot be replayed, and says what to do", async () => {
    const recording = await recorded();
    await expect(replay(recording.slice(0, -3), rsd)).rejects.toMatchObject({
      code: "trace-invalid",
      remedy: expect.stringContaining("resume"),
    });
  });

  test("of a failed run replays its failure and can be resumed past it", async () => {
    const world = toyWorld(rsd);
    const whole = await startRun({ ...request, roles: world.roles, id: "x" }).result;
    let calls = 0;
    const flaky = toyWorld(rsd, {
      score: (question, steps) => (calls++ === 1 ? Number.NaN : world.reward.options.score(question, steps)),
    });
    const seen = (await eventsOf({ ...request, roles: flaky.roles, id: "x" })).filter(
      (event): event is TraceEvent => event.type !== "text-written",
    );
    expect(seen.at(-1)!.type).toBe("run-failed");
    await expect(replay(seen, rsd)).rejects.toMatchObject({ code: "reward-failed" });
    const resumed = await startRun({ ...request, roles: flaky.roles, recording: seen }).result;
    expect(resumed.steps).toEqual(whole.steps);
  });
});
