import { describe, expect, test } from "vitest";
import draftAlone from "../methods/draft.js";
import rsd from "../methods/rsd.js";
import { type ScriptedModel, ScriptedReward } from "../testing/index.js";
import { always, answer, counting, eventsOf, fixed } from "../testing/small-models.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { defineMethod } from "./method.js";
import { type RunRequest, startRun } from "./run.js";
import type { Node } from "./search.js";
import type { RunEvent } from "./trace-event.js";

test("rsd rewrites the weak step and says what it cost", async () => {
  const draft = answer(["guess 0", "guess 1", "answer 3"]);
  const target = answer(["fact 0", "fact 1", "fact 2"], { name: "large" });
  const reward = new ScriptedReward({ score: (_, steps) => (steps.at(-1) === "guess 1\n\n" ? 0.2 : 0.9) });
  const result = await startRun({ method: rsd, question: "1 + 2?", roles: { draft, target, reward } }).result;
  expect(result).toMatchObject({
    text: "guess 0\n\nfact 1\n\nanswer 3",
    finish: "stop",
    method: "rsd",
    seed: 0,
  });
  expect(result.steps[1]).toEqual({
    ...{ index: 1, origin: "target", text: "fact 1\n\n", tokens: 8, reward: null },
    rejected: [{ origin: "draft", text: "guess 1\n\n", tokens: 9, reward: 0.2 }],
  });
  expect(result.ledger).toMatchObject({
    draft: { calls: 3, discardedTokens: 9, decodeTokens: 9 + 9 + "answer 3".length + 1 },
    target: { calls: 1, decodeTokens: 8, read: { catchUp: 9 } },
    reward: { calls: 3 },
  });
  expect(draft.liveBranches + target.liveBranches + reward.liveScorers).toBe(0);
});

describe("what ends an answer", () => {
  const finishOf = async (draft: ScriptedModel, more: Partial<RunRequest> = {}) =>
    startRun({ method: draftAlone, question: "?", roles: { draft }, ...more }).result;

  test.each([
    ["nothing but line breaks", fixed("\n")],
    ["blanks for ever", fixed(" ")],
    ["the same step for ever", fixed("round and round\n\n")],
  ])("case 67: %s is stalled, not the step limit", async (_, draft) => {
    const result = await finishOf(draft);
    expect(result.finish).toBe("stalled");
    expect(result.steps.length).toBeLessThanOrEqual(2);
  });

  test("case 68: a step cut at its cap is truncated, and the answer goes on", async () => {
    const long = answer(["0123456789 abcdefghijklmno pqr\n\n", "the end"]);
    const result = await finishOf(long, { maxStepTokens: 12 });
    expect(result.finish).toBe("stop");
    expect(result.steps.map((step) => step.tokens)).toEqual([12, 12, 8, 8]);
    expect(result.text).toBe("0123456789 abcdefghijklmno pqr\n\nthe end");
  });

  test("the answer's limits of tokens and steps are lengths", async () => {
    expect(await finishOf(counting(), { maxTokens: 7 })).toMatchObject({
      finish: "length",
      text: "0\n\n1\n\n2",
    });
    expect(await finishOf(counting(), { maxSteps: 4 })).toMatchObject({
      finish: "length",
      text: "0\n\n1\n\n2\n\n3",
    });
  });

  test("a full context is a length, for the writer and for one that cannot catch up", async () => {
    const within = (context: number) => counting({ size: { context } });
    const prompt = (await within(1000).renderChat([{ role: "user", content: "?" }])).tokens.length;
    expect(await finishOf(within(prompt + 7), { system: null })).toMatchObject({ finish: "length" });
    const roles = {
      draft: within(1000),
      target: within(prompt + 7),
      reward: new ScriptedReward({ score: (_, steps) => (steps.length < 5 ? 1 : 0) }),
    };
    const guided = await startRun({ method: rsd, question: "?", system: null, roles }).result;
    expect(guided).toMatchObject({ finish: "length" });
    expect(guided.steps.at(-1)).toMatchObject({ origin: "target", text: "", tokens: 0 });
  });

  test("a question that does not fit is refused with both numbers", async () => {
    const run = startRun({
      method: draftAlone,
      question: "x".repeat(500),
      roles: { draft: fixed("a", { size: { context: 100 } }) },
    });
    await expect(run.result).rejects.toMatchObject({
      code: "context-exceeded",
      message: expect.stringMatching(/\d{3} tokens.* 100/),
    });
  });
});

test("case 69: a neighbour that never ends takes nothing from the others", async () => {
  const endless = counting();
  const finite = answer(Array.from({ length: 40 }, (_, index) => `step ${index}`));
  const others = Array.from(
    { length: 8 },
    () => startRun({ method: draftAlone, question: "?", roles: { draft: finite } }).result,
  );
  const stuck = startRun({ method: draftAlone, question: "?", roles: { draft: endless } }).result;
  for (const result of await Promise.all(others))
    expect(result).toMatchObject({ finish: "stop", steps: { length: 40 } });
  expect(await stuck).toMatchObject({ finish: "length", steps: { length: 100 } });
});

test("a question alone and among 64 others gives the same trace but for seconds", async () => {
  const world = toyWorld(rsd);
  const request = (seed: number) => ({
    method: rsd,
    question: toyQuestion,
    roles: world.roles,
    seed,
    sampling: { temperature: 1 },
    id: "x",
  });
  const alone = await eventsOf(request(3));
  const among = await Promise.all(
    Array.from({ length: 65 }, (_, index) => eventsOf(request(index === 30 ? 3 : 100 + index))),
  );
  expect(timeless(among[30]!)).toEqual(timeless(alone));
});

describe("events", () => {
  test("a rejected step's text is seen only as provisional", async () => {
    const roles = {
      draft: answer(["draft one", "draft two"]),
      target: answer(["target one", "target two"]),
      reward: always(0),
    };
    const seen = await eventsOf({ method: rsd, question: "?", roles });
    const written = new Map(
      seen.filter((event) => event.type === "step-written").map((event) => [event.node, event.text]),
    );
    const committed = seen
      .filter((event) => event.type === "step-committed")
      .map((event) => written.get(event.node)!);
    expect(committed.join("")).toBe("target one\n\ntarget two");
    for (const [node, text] of written) {
      const pieces = seen.filter((event) => event.type === "text-written" && event.node === node) as {
        text: string;
      }[];
      expect(pieces.map((piece) => piece.text).join("")).toBe(text);
    }
  });

  test("nobody needs to read them, and a reader may leave", async () => {
    const request = { method: draftAlone, question: "?", roles: { draft: answer(["a", "b", "c"]) } };
    expect((await startRun(request).result).text).toBe("a\n\nb\n\nc");
    const run = startRun(request);
    for await (const _ of run) break;
    expect((await run.result).text).toBe("a\n\nb\n\nc");
    await expect(
      (async () => {
        for await (const _ of run);
      })(),
    ).rejects.toThrow("read once");
  });

  test("a failed run's last event is the failure, and reading it throws nothing", async () => {
    const roles = { draft: answer(["a"]), target: answer(["b"]), reward: always(7) };
    const seen = await eventsOf({ method: rsd, question: "?", roles });
    expect(seen.at(-1)).toMatchObject({ type: "run-failed", error: { code: "reward-failed" } });
  });
});

test("a method that misuses the search is told how", async () => {
  const misuse = (run: (search: Parameters<typeof draftAlone.run>[0], child: Node) => unknown) =>
    startRun({
      method: defineMethod({
        ...draftAlone,
        name: "clumsy",
        async run(search) {
          const child = await search.extend(search.root, { role: "draft" });
          await run(search, child);
          return search.finish(child);
        },
      }),
      question: "?",
      roles: { draft: answer(["a", "b"]) },
    }).result;
  await expect(misuse((search) => search.score(search.root))).rejects.toMatchObject({ code: "internal" });
  await expect(
    misuse((search, child) => search.extend(search.prune(child), { role: "target" })),
  ).rejects.toMatchObject({ code: "missing-role" });
  await expect(misuse((search, child) => search.prune(search.commit(child)))).rejects.toMatchObject({
    code: "internal",
  });
  await expect(
    misuse((search, child) => {
      search.commit(child);
      return search.extend(search.root, { role: "draft" });
    }),
  ).rejects.toMatchObject({ code: "internal" });
  await expect(
    misuse((search, child) => {
      search.prune(child);
      return search.extend(child, { role: "draft" });
    }),
  ).rejects.toMatchObject({ code: "internal" });
  await expect(misuse((search, child) => search.coin(child, Number.NaN))).rejects.toMatchObject({
    code: "internal",
  });
  await expect(misuse((search, child) => search.commit({ ...child }))).rejects.toMatchObject({
    code: "internal",
  });
});

function timeless(seen: readonly RunEvent[]): unknown {
  return JSON.parse(JSON.stringify(seen, (key, value) => (["seconds", "elapsed"].includes(key) ? 0 : value)));
}
