/** The nine conformance cases. */
import assert from "node:assert/strict";
import { StepwrightError } from "../core/errors.js";
import { ledgerOf, limitNames } from "../core/ledger.js";
import { type RunResult, replay, startRun } from "../core/run.js";
import type { RunEvent } from "../core/trace-event.js";
import draftAlone from "../methods/draft.js";
import targetAlone from "../methods/target.js";
import { type MethodBench, timeless } from "./method-bench.js";
import { sumOfEvents } from "./sum-of-events.js";
import { type ToyOptions, toyWorld } from "./toy-world.js";
import { VirtualClock } from "./virtual-clock.js";

export const conformanceCases: readonly (readonly [string, (bench: MethodBench) => Promise<void>])[] = [
  ["no budget of any kind is ever exceeded, and what there is so far is returned", neverOverBudget],
  ["an abort at any event frees every branch", abortAnywhere],
  ["the same seed gives the same trace, whatever runs beside it and however slow", sameTrace],
  ["the ledger is the sum of the trace, and nothing in it is zero by omission", ledgerIsSum],
  ["a trace replays without a model, and a cut one resumes to the same result", replayAndResume],
  ["with equal models and full rewards it is plain decoding", plainDecoding],
  ["odd questions, ends, rewards and delays have defined results", oddities],
  ["success rises with the budget", successRises],
  ["the options have defaults, descriptions and no unknown names", schemaRoundTrip],
];

async function neverOverBudget(bench: MethodBench): Promise<void> {
  const spentBy: Record<(typeof limitNames)[number], (result: RunResult) => number> = {
    "draft-tokens": ({ ledger }) => ledger.draft?.decodeTokens ?? 0,
    "target-tokens": ({ ledger }) => ledger.target?.decodeTokens ?? 0,
    "reward-passes": ({ ledger }) => ledger.reward?.calls ?? 0,
    flops: ({ ledger }) => ledger.total.flops,
    seconds: ({ ledger }) => ledger.total.seconds,
  };
  for (const name of limitNames) {
    const full = spentBy[name]((await bench.run(bench.slow())).result);
    let cut = 0;
    for (const share of [0, 0.07, 0.2, 0.35, 0.5, 0.65, 0.8, 0.93, 0.999]) {
      const limit = name === "flops" || name === "seconds" ? full * share : Math.floor(full * share);
      const request = bench.slow();
      const { result } = await bench.run({ ...request, budget: { [name]: limit } });
      assert(spentBy[name](result) <= limit, `${name}: spent ${spentBy[name](result)} of ${limit}`);
      assert.equal(
        result.text,
        result.steps
          .map((step) => step.text)
          .join("")
          .trimEnd(),
      );
      // A method with a whole answer at hand ends by that answer's own finish.
      if (result.finish === "budget" || spentBy[name](result) < full) cut++;
    }
    if (full > 0) assert(cut > 0, `${name}: no run was cut short`);
  }
}

async function abortAnywhere(bench: MethodBench): Promise<void> {
  const all: RunEvent[] = [];
  for await (const event of startRun(bench.request())) all.push(event);
  for (const index of spread(all.length)) {
    const world = bench.world();
    const controller = new AbortController();
    const run = startRun(bench.request({ roles: world.roles, signal: controller.signal }));
    let seen = 0;
    for await (const _ of run) if (seen++ === index) controller.abort();
    const { finish } = await run.result;
    assert(finish === "abort" || finish === "stop", `abort at event ${index} ended as ${finish}`);
    assert.equal(world.live(), 0, `abort at event ${index} (${all[index]!.type}) left branches open`);
  }
}

/** Indices below a length: all of them, or, where they are many, about this many from first to last. */
function spread(length: number, most = 150): number[] {
  const step = Math.ceil(length / most);
  return Array.from({ length: Math.ceil(length / step) }, (_, number) => number * step);
}

async function sameTrace(bench: MethodBench): Promise<void> {
  const alone = await bench.run({ seed: 7 });
  const world = bench.world();
  const beside = await Promise.all(
    Array.from({ length: 32 }, (_, index) => bench.run({ seed: index % 16, roles: world.roles })),
  );
  assert.deepEqual(timeless(beside[7]!.events), timeless(alone.events));
  assert.deepEqual(timeless(beside[23]!.events), timeless(alone.events));
  // Some calls are a hundred times slower than others: the order of events must not show it.
  let calls = 0;
  const script = { delay: () => ((calls++ * 7919) % 100) / 1e5 };
  const late = bench.world({ draft: script, target: script, reward: script });
  assert.deepEqual(
    timeless((await bench.run({ seed: 7, roles: late.roles })).events),
    timeless(alone.events),
  );
}

async function ledgerIsSum(bench: MethodBench): Promise<void> {
  for (let seed = 0; seed < 20; seed++) {
    const { result, events } = await bench.run({ seed });
    assert.deepEqual(ledgerOf(events), result.ledger);
    const summed = sumOfEvents(events);
    for (const role of ["draft", "target", "reward"] as const) {
      const spent = result.ledger[role];
      assert.equal(spent !== undefined, bench.method.needs[role] !== undefined, `${role} in the ledger`);
      if (!spent) continue;
      assert.deepEqual(spent, summed[role]);
      const { prompt, catchUp, recomputed, reward } = spent.read;
      assert.equal(prompt + catchUp + recomputed + reward, spent.prefillTokens);
      if (spent.calls === 0) continue;
      for (const figure of ["prefillTokens", "flops", "seconds"] as const) {
        assert(spent[figure] > 0, `${role}.${figure} is zero`);
      }
      if (role !== "reward") assert(spent.decodeTokens > 0 && spent.generatedFlops > 0);
    }
  }
}

async function replayAndResume(bench: MethodBench): Promise<void> {
  for (let seed = 0; seed < 3; seed++) {
    const { result, events } = await bench.run({ seed });
    assert.deepEqual(await replay(events, bench.method), result);
    for (const cut of spread(events.length).map((index) => events.length - index)) {
      const world = bench.world();
      const recording = events.slice(0, cut);
      const resumed = await bench.run({ seed, recording, roles: world.roles });
      assert.equal(resumed.result.text, result.text, `cut after event ${cut}`);
      assert.deepEqual(resumed.result.steps, result.steps);
      assert.equal(resumed.result.finish, result.finish);
      assert.deepEqual(ledgerOf(resumed.events), resumed.result.ledger);
      for (const role of ["draft", "target"] as const) {
        assert.equal(resumed.result.ledger[role]?.decodeTokens, result.ledger[role]?.decodeTokens);
      }
      if (cut === events.length) assert.equal(world.calls(), 0, "a whole trace needs no model");
      assert.deepEqual((await replay(resumed.events, bench.method)).steps, result.steps);
    }
  }
}

async function plainDecoding(bench: MethodBench): Promise<void> {
  const world = { draftSkill: 0.6, targetSkill: 0.6, score: () => 1 };
  const plain = bench.method.needs.draft ? draftAlone : targetAlone;
  for (let seed = 0; seed < 20; seed++) {
    const { result } = await bench.run({ seed, roles: bench.world(world).roles });
    const request = bench.request({ method: plain, options: {}, seed, roles: toyWorld(plain, world).roles });
    assert.equal(result.text, (await startRun(request).result).text);
  }
}

async function oddities(bench: MethodBench): Promise<void> {
  assert.throws(() => startRun(bench.request({ question: " \n" })), isError("invalid-option"));
  const controller = new AbortController();
  controller.abort();
  const untouched = bench.world();
  const refused = startRun(bench.request({ roles: untouched.roles, signal: controller.signal }));
  await assert.rejects(refused.result, isError("aborted"));
  assert.equal(untouched.calls(), 0);

  const ending = { law: { steps: () => [{ text: "", probability: 1, end: true }] } };
  const immediate = await bench.run({
    roles: bench.world({ draft: ending, target: ending } as ToyOptions).roles,
  });
  assert.deepEqual([immediate.result.text, immediate.result.finish], ["", "stop"]);

  if (bench.method.needs.reward) await oddRewards(bench);

  const clock = new VirtualClock();
  const hanging = { fault: () => ({ kind: "hang" as const }) };
  const stuck = bench.world({
    draft: hanging,
    target: hanging,
    reward: { delay: () => 100, sleep: clock.sleep },
  });
  const waiting = startRun(bench.request({ roles: stuck.roles, clock, budget: { seconds: 5 } }));
  await clock.sleep(6);
  assert.equal((await waiting.result).finish, "budget");
  assert.equal(stuck.live(), 0);
}

async function oddRewards(bench: MethodBench): Promise<void> {
  const throwing = () => {
    throw new Error("no reward today");
  };
  for (const score of [
    throwing,
    () => Number.NaN,
    () => Infinity,
    () => -0.1,
    () => 1.1,
    () => undefined,
    () => [1],
  ]) {
    const failing = bench.world({ score });
    await assert.rejects(startRun(bench.request({ roles: failing.roles })).result, isError("reward-failed"));
    assert.equal(failing.live(), 0);
    for (const rewardFailure of ["accept", "target-only"] as const) {
      const world = bench.world({ score });
      const { result, events } = await bench.run({ roles: world.roles, rewardFailure });
      assert.equal(result.finish, "stop");
      assert(events.some((event) => event.type === "reward-failed" && event.policy === rewardFailure));
      assert(result.steps.every((step) => step.reward === null));
      assert.equal(world.live(), 0);
    }
  }
}

async function successRises(bench: MethodBench): Promise<void> {
  const { result } = await bench.run();
  const rates: number[] = [];
  for (const share of [0.5, 2, 20])
    rates.push(await bench.success({ flops: result.ledger.total.flops * share }));
  const [little, , much] = rates as [number, number, number];
  assert(much > little, `success went ${rates.join(", ")}`);
  for (let index = 1; index < rates.length; index++) {
    // Equal seeds: a larger budget never loses more than a few answers.
    assert(rates[index]! >= rates[index - 1]! - 0.02, `success went ${rates.join(", ")}`);
  }
}

async function schemaRoundTrip(bench: MethodBench): Promise<void> {
  const { schema } = bench.method;
  const defaults = schema.parse({});
  assert.deepEqual(schema.parse(defaults), defaults);
  for (const [name, field] of Object.entries(schema.shape)) {
    assert(name in defaults, `option ${name} has no default`);
    assert((field as { description?: string }).description, `option ${name} has no description`);
    const misspelt = `${name}s`;
    assert.throws(
      () => startRun(bench.request({ options: { [misspelt]: 1 } })),
      (error) =>
        isError("invalid-option")(error) && (error as StepwrightError).remedy?.includes(name) === true,
    );
  }
  assert.throws(() => startRun(bench.request({ options: { zzzzzzzzzz: 1 } })), isError("invalid-option"));
}

function isError(code: StepwrightError["code"]) {
  return (error: unknown) => StepwrightError.is(error, code);
}
