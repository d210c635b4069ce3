import { describe, expect, test } from "vitest";
import draftAlone from "../methods/draft.js";
import rsd from "../methods/rsd.js";
import targetAlone from "../methods/target.js";
import { ScriptedModel, ScriptedReward, VirtualClock } from "../testing/index.js";
import { toyQuestion, toyWorld } from "../testing/toy-world.js";
import { StepwrightError } from "./errors.js";
import { defineMethod } from "./method.js";
import { type RunRequest, replay, startRun } from "./run.js";
import type { Node } from "./search.js";
import type { RunEvent, TraceEvent } from "./trace-event.js";

const fixed = (text: string, more: object = {}) =>
  new ScriptedModel({ law: { steps: () => [{ text, probability: 1 }] }, ...more });
const answer = (steps: readonly string[], more: object = {}) =>
  new ScriptedModel({
    law: {
      steps: (_, done) => [
        { text: steps[done.length]!, probability: 1, end: done.length === steps.length - 1 },
      ],
    },
    ...more,
  });
const always = (value: unknown) => new ScriptedReward({ score: () => value });

async function events(request: RunRequest): Promise<RunEvent[]> {
  const seen: RunEvent[] = [];
  for await (const event of startRun(request)) seen.push(event);
  return seen;
}

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
    const counting = new ScriptedModel({
      law: { steps: (_, done) => [{ text: `${done.length}\n\n`, probability: 1 }] },
    });
    expect(await finishOf(counting, { maxTokens: 7 })).toMatchObject({
      finish: "length",
      text: "0\n\n1\n\n2",
    });
    expect(await finishOf(counting, { maxSteps: 4 })).toMatchObject({
      finish: "length",
      text: "0\n\n1\n\n2\n\n3",
    });
  });

  test("a full context is a length, for the writer and for one that cannot catch up", async () => {
    const counting = (context: number) =>
      new ScriptedModel({
        size: { context },
        law: { steps: (_, done) => [{ text: `${done.length}\n\n`, probability: 1 }] },
      });
    const prompt = (await counting(1000).renderChat([{ role: "user", content: "?" }])).tokens.length;
    expect(await finishOf(counting(prompt + 7), { system: null })).toMatchObject({ finish: "length" });
    const roles = {
      draft: counting(1000),
      target: counting(prompt + 7),
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

describe("case 66: a reward that fails", () => {
  const broken = [Number.NaN, Infinity, -0.01, 1.01, undefined, "0.5", [0.5], null];

  test.each(broken)("%s is handled by policy and never taken for a score", async (value) => {
    const roles = () => ({ draft: answer(["draft"]), target: answer(["target"]), reward: always(value) });
    const request = (rewardFailure: "fail" | "accept" | "target-only") => ({
      method: rsd,
      question: "?",
      roles: roles(),
      rewardFailure,
    });
    await expect(startRun(request("fail")).result).rejects.toMatchObject({ code: "reward-failed" });
    const accepted = await startRun(request("accept")).result;
    expect(accepted.steps).toMatchObject([{ origin: "draft", reward: null }]);
    const rewritten = await startRun(request("target-only")).result;
    expect(rewritten.steps).toMatchObject([{ origin: "target", rejected: [{ reward: null }] }]);
    for (const policy of ["fail", "accept", "target-only"] as const) {
      const flagged = (await events(request(policy))).filter((event) => event.type === "reward-failed");
      expect(flagged).toMatchObject([{ node: "0", policy }]);
    }
  });

  test("the policy overrules any weight, and only where the reward failed", async () => {
    const roles = {
      draft: answer(["a", "b", "c"]),
      target: answer(["A", "B", "C"]),
      reward: new ScriptedReward({ score: (_, steps) => (steps.length === 2 ? Number.NaN : 1) }),
    };
    const run = (rewardFailure: "accept" | "target-only", probability: number) =>
      startRun({
        method: rsd,
        options: { weight: "constant", probability },
        question: "?",
        roles,
        rewardFailure,
      }).result;
    expect((await run("target-only", 1)).text).toBe("a\n\nB\n\nc");
    expect((await run("accept", 0)).text).toBe("A\n\nb\n\nC");
  });
});

test("case 69: a neighbour that never ends takes nothing from the others", async () => {
  const endless = new ScriptedModel({
    law: { steps: (_, done) => [{ text: `${done.length}\n\n`, probability: 1 }] },
  });
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
  const alone = await events(request(3));
  const among = await Promise.all(
    Array.from({ length: 65 }, (_, index) => events(request(index === 30 ? 3 : 100 + index))),
  );
  expect(timeless(among[30]!)).toEqual(timeless(alone));
});

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

describe("faults of back ends", () => {
  test.each(Array.from({ length: 12 }, (_, index) => index))(
    "call %d throws: the run fails, nothing stays open",
    async (index) => {
      const fault = (call: { index: number }) =>
        call.index === index ? { kind: "throw" as const } : undefined;
      for (const role of ["draft", "target"] as const) {
        const world = toyWorld(rsd, { draftSkill: 0.3, [role]: { fault } });
        const run = startRun({
          method: rsd,
          question: toyQuestion,
          roles: world.roles,
          sampling: { temperature: 1 },
        });
        const outcome = await run.result.catch((error) => error);
        const reached = world[role].stage.calls > index;
        expect(StepwrightError.is(outcome, "decode-failed")).toBe(reached);
        expect(world.live()).toBe(0);
      }
    },
  );

  test.each([
    [
      "more tokens than allowed",
      { tokens: [1, 2, 3, 4, 5, 6], logprobs: [0, 0, 0, 0, 0, 0], entropies: [0, 0, 0, 0, 0, 0] },
    ],
    ["figures for other tokens", { logprobs: [0] }],
    ["a probability that is no number", { entropies: [Number.NaN, 0, 0, 0, 0] }],
    [
      "a cost that is no number",
      { usage: { prefillTokens: 0, recomputedTokens: 0, decodeTokens: 5, flops: Number.NaN, seconds: 0 } },
    ],
    ["nothing at all", { text: "", tokens: [], logprobs: [], entropies: [] }],
    ["no text", { text: undefined }],
  ])("%s is not believed", async (_, change) => {
    const draft = fixed("12345678", {
      fault: (call: { kind: string }) => (call.kind === "extend" ? { kind: "wrong", change } : undefined),
    });
    const run = startRun({ method: draftAlone, question: "?", roles: { draft }, maxStepTokens: 5 });
    await expect(run.result).rejects.toMatchObject({ code: "decode-failed" });
    expect(draft.liveBranches).toBe(0);
  });
});

describe("events", () => {
  test("a rejected step's text is seen only as provisional", async () => {
    const roles = {
      draft: answer(["draft one", "draft two"]),
      target: answer(["target one", "target two"]),
      reward: always(0),
    };
    const seen = await events({ method: rsd, question: "?", roles });
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
    const seen = await events({ method: rsd, question: "?", roles });
    expect(seen.at(-1)).toMatchObject({ type: "run-failed", error: { code: "reward-failed" } });
  });
});

describe("checks before any model is touched", () => {
  const world = toyWorld(rsd);
  const good: RunRequest = { method: rsd, question: "?", roles: world.roles };
  const bad: [string, Partial<RunRequest>, object][] = [
    [
      "an unknown option",
      { options: { treshold: 0.5 } },
      { code: "invalid-option", remedy: 'did you mean "threshold"?' },
    ],
    [
      "a threshold out of range",
      { options: { threshold: 3 } },
      { code: "invalid-option", subject: "threshold" },
    ],
    ["an unknown weight", { options: { weight: "hard" } }, { code: "invalid-option", subject: "weight" }],
    ["options that are no object", { options: 7 }, { code: "invalid-option" }],
    ["an empty question", { question: "" }, { code: "invalid-option", subject: "question" }],
    ["an empty delimiter", { splitter: { kind: "delimiter", delimiter: "" } }, { code: "invalid-option" }],
    ["no tokens", { maxTokens: 0 }, { code: "invalid-option", subject: "maxTokens" }],
    ["half a step", { maxSteps: 1.5 }, { code: "invalid-option", subject: "maxSteps" }],
    ["a negative seed", { seed: -1 }, { code: "invalid-option", subject: "seed" }],
    [
      "a temperature that is no number",
      { sampling: { temperature: Number.NaN } },
      { code: "invalid-option" },
    ],
    ["no top p", { sampling: { topP: 0 } }, { code: "invalid-option", subject: "sampling.topP" }],
    [
      "an unknown limit",
      { budget: { "target-token": 5 } as object },
      { code: "invalid-option", remedy: 'did you mean "target-tokens"?' },
    ],
    ["a negative limit", { budget: { flops: -1 } }, { code: "invalid-option" }],
    ["an unknown policy", { rewardFailure: "ignore" as "fail" }, { code: "invalid-option" }],
    [
      "a missing draft",
      { roles: { target: world.target, reward: world.reward } },
      { code: "missing-role", subject: "draft" },
    ],
    [
      "a missing reward",
      { roles: { draft: world.draft, target: world.target } },
      { code: "missing-role", subject: "reward" },
    ],
  ];

  test.each(bad)("%s is refused by name", (_, change, expected) => {
    expect(() => startRun({ ...good, ...change })).toThrow(expect.objectContaining(expected));
    expect(world.calls()).toBe(0);
  });

  test("a missing capability is refused by name, with what there is", () => {
    const picky = defineMethod({ ...draftAlone, name: "picky", needs: { draft: ["text", "hidden"] } });
    expect(() => startRun({ ...good, method: picky })).toThrow(
      expect.objectContaining({
        code: "missing-capability",
        message: expect.stringContaining('"hidden"'),
        remedy: expect.stringContaining("logits"),
      }),
    );
  });
});

describe("a recording", () => {
  const request = { method: rsd, question: toyQuestion, seed: 1, sampling: { temperature: 1 } };
  const recorded = async () =>
    (await events({ ...request, roles: toyWorld(rsd).roles })).filter(
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
    const seen = (await events({ ...request, roles: flaky.roles, id: "x" })).filter(
      (event): event is TraceEvent => event.type !== "text-written",
    );
    expect(seen.at(-1)!.type).toBe("run-failed");
    await expect(replay(seen, rsd)).rejects.toMatchObject({ code: "reward-failed" });
    const resumed = await startRun({ ...request, roles: flaky.roles, recording: seen }).result;
    expect(resumed.steps).toEqual(whole.steps);
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
