/** A head in a run: what it costs there, and that what a recording lacks is read. */
import { expect, test } from "vitest";
import { replay, startRun } from "../../src/core/run.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import rsd from "../../src/methods/rsd.js";
import { openReward } from "../../src/rewards/index.js";
import { ScriptedModel } from "../../src/testing/index.js";
import { eventsOf } from "../../src/testing/small-models.js";
import { headContext, type TestHead } from "./heads.js";

const words = ["good 1\n\n", "good 2\n\n", "bad 2\n\n", "good 3\n\n", "done"];
const question = "What?";

/** Writes these steps, a token each, nearly surely; its state tells how many it has and how much text. */
const writer = (name: string, steps: readonly string[]) =>
  new ScriptedModel({
    name,
    pieces: words,
    size: { multiplied: name === "draft" ? 1000 : 20_000 },
    hidden: ({ text, steps: written }) => [1, written.length, text.length],
    law: {
      steps: (_, done) => {
        const own = steps[done.length]!;
        const end = own === "done";
        const other = own.startsWith("good") ? own.replace("good", "bad") : own.replace("bad", "good");
        if (end) return [{ text: own, probability: 1, end }];
        return [
          { text: own, probability: 0.95, end },
          { text: other, probability: 0.05, end },
        ];
      },
    },
  });
const pair = () => ({
  draft: writer("draft", ["good 1", "bad 2", "good 3", "done"]),
  target: writer("target", ["good 1", "good 2", "good 3", "done"]),
});
type Pair = ReturnType<typeof pair>;

/** Reads with the run's own models, or with others of the same weights. */
async function requestOf(head: TestHead, models: Pair, reads: Pair = models) {
  const reward = await openReward("head:F", headContext(head, reads));
  const roles = { ...models, reward };
  return { method: rsd, options: { threshold: 0.5 }, question, system: null, id: "run", roles };
}

async function solve(head: TestHead, models: Pair, reads: Pair = models) {
  const { steps, ledger } = await startRun(await requestOf(head, models, reads)).result;
  await new Promise((resolve) => setImmediate(resolve));
  expect(models.draft.liveBranches + models.target.liveBranches).toBe(0);
  return { steps, ledger, origins: steps.map(({ origin }) => origin) };
}

const likelihood: TestHead = { features: ["likelihood:target:least"], weights: [1], bias: 1.5 };
/** Turns down what follows one step, by the draft's state before the step's last token. */
const state: TestHead = { features: ["state:draft:end", "place:index"], weights: [2, -3, 0, 1], bias: 0.5 };

test("a head on statistics costs nothing", async () => {
  const { ledger, origins } = await solve(
    { features: ["statistic:least", "place:index"], weights: [1, -1], bias: 1 },
    pair(),
  );
  expect(origins).toContain("target");
  expect(ledger.reward).toMatchObject({ prefillTokens: 0, decodeTokens: 0, flops: 0 });
  expect(ledger.reward!.calls).toBeGreaterThan(2);
});

test("a head on the target's likelihood reads nothing that the target reads to write", async () => {
  const models = pair();
  const shared = await solve(likelihood, models);
  const apart = await solve(likelihood, pair(), pair());
  expect(shared.steps).toEqual(apart.steps);
  expect(shared.origins).toEqual(["draft", "target", "draft", "draft"]);
  const prompt = (await models.target.renderChat([{ role: "user", content: question }])).tokens.length;
  const read = ({ ledger }: typeof shared) =>
    (ledger.target?.prefillTokens ?? 0) + (ledger.reward?.prefillTokens ?? 0);
  // Apart, the prompt and the step before the rewrite are read twice, and the rewrite itself; a step is one token.
  expect(read(apart) - read(shared)).toBe(prompt + 2);
});

test("a head on the draft's states takes them from the steps; by reading they are the same", async () => {
  const free = await solve(state, pair());
  expect(free.ledger.reward).toMatchObject({ prefillTokens: 0, flops: 0 });
  const read = await solve(state, pair(), pair());
  expect(read.steps).toEqual(free.steps);
  expect(read.origins).toContain("target");
  expect(read.ledger.reward!.prefillTokens).toBeGreaterThan(0);
});

test("a limit of FLOPs is not claimed for states that come with the step", async () => {
  const { ledger, steps } = await solve(state, pair());
  const limited = { ...(await requestOf(state, pair())), budget: { flops: ledger.total.flops + 1 } };
  const result = await startRun(limited).result;
  expect(result.finish).toBe("stop");
  expect(result.steps).toEqual(steps);
});

test.each([
  ["likelihood", likelihood],
  ["states", state],
])("a run with it replays without a model and resumes at every event (%s)", async (_, head) => {
  const request = await requestOf(head, pair());
  const events = (await eventsOf(request)).filter(
    (event): event is TraceEvent => event.type !== "text-written",
  );
  const { steps } = await startRun(await requestOf(head, pair())).result;
  expect((await replay(events, rsd)).steps).toEqual(steps);
  const other = await requestOf({ ...head, bias: 0 }, pair());
  expect(() => startRun({ ...other, recording: events.slice(0, -1) })).toThrow(
    expect.objectContaining({ code: "trace-diverged" }),
  );
  for (let cut = 1; cut < events.length; cut++) {
    const resumed = await startRun({
      ...(await requestOf(head, pair())),
      recording: events.slice(0, cut),
    }).result;
    expect(resumed.steps).toEqual(steps);
  }
});
