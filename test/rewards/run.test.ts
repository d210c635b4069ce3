/** A whole run with a reward that reads a model: who wrote what, what it cost, and that nothing is left behind. */
import { expect, test } from "vitest";
import { startRun } from "../../src/core/run.js";
import type { Token } from "../../src/core/step.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import rsd from "../../src/methods/rsd.js";
import { openReward } from "../../src/rewards/index.js";
import { ScriptedModel } from "../../src/testing/index.js";
import { FakeModel, uniform } from "./fake-model.js";
import { contextOf } from "./help.js";

const pieces = ["Yes", "No", "guess", "fact", "\n"];
const specials = ["<user>", "<assistant>", "<end>"];
const yes = pieces.indexOf("Yes");

/** Believes facts, doubts guesses, and hardly knows what to say of anything else. */
function law(ids: readonly Token[], token: Token): number {
  const last = ids.findLast((id) => pieces[id] === "guess" || pieces[id] === "fact");
  const believed = last === undefined ? 0.4 + 0.2 * uniform(ids, 0) : pieces[last] === "fact" ? 0.8 : 0.1;
  return Math.log(0.5 * (token === yes ? believed : 1 - believed));
}

const writer = (name: string, steps: readonly string[]) =>
  new ScriptedModel({
    name,
    law: {
      steps: (_, done) => [
        { text: steps[done.length]!, probability: 1, end: done.length === steps.length - 1 },
      ],
    },
  });

test("rsd with a judge: weak steps are rewritten, the rewrite is read with the next step, all is accounted for", async () => {
  const model = new FakeModel({ pieces, specials, law });
  const reward = await openReward("judge:M", contextOf(model));
  const atRest = model.live;
  const [chargedBefore, readsBefore] = [model.charged, model.reads.length];
  const run = startRun({
    method: rsd,
    question: "What?",
    roles: {
      draft: writer("draft", ["guess 0", "fact 1", "guess 2", "fact 3"]),
      target: writer("target", ["fact zero", "", "fact two", ""]),
      reward,
    },
  });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  const result = await run.result;
  expect(result.steps.map(({ origin, reward: value, rejected }) => [origin, value, rejected.length])).toEqual(
    [
      ["target", null, 1],
      ["draft", expect.closeTo(0.8, 6), 0],
      ["target", null, 1],
      ["draft", expect.closeTo(0.8, 6), 0],
    ],
  );

  // The rewrite was read in one go with the step after it, and the rejected guess is not in that reading.
  const readings = await Promise.all(model.reads.slice(readsBefore).map((ids) => model.detokenize(ids)));
  const second = readings.find((text) => text.includes("fact 1"))!;
  expect(second).toMatch(/^fact zero\n\nfact 1\n\n---/);

  const spent = result.ledger.reward!;
  expect(spent.calls).toBe(4);
  expect(spent.decodeTokens).toBe(0);
  expect(spent.prefillTokens).toBe(model.charged - chargedBefore);
  expect(spent.read.reward).toBe(spent.prefillTokens);
  expect(spent.flops).toBeGreaterThan(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(model.live).toBe(atRest);
});

test("a FLOPs limit stops before the pass that would break it", async () => {
  const model = new FakeModel({ pieces, specials, law });
  const reward = await openReward("judge:M", contextOf(model));
  const request = {
    method: rsd,
    question: "What?",
    roles: {
      draft: writer("draft", ["fact 0", "fact 1", "fact 2"]),
      target: writer("target", ["x"]),
      reward,
    },
  };
  const free = await startRun(request).result;
  for (const share of [0.2, 0.5, 0.8]) {
    const flops = free.ledger.total.flops * share;
    const { finish, ledger } = await startRun({ ...request, budget: { flops } }).result;
    expect(finish).toBe("budget");
    expect(ledger.total.flops).toBeLessThanOrEqual(flops);
  }
});
