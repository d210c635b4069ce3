/** What RSD costs when the target's own likelihood is the reward: the target reads everything once. */
import { expect, test } from "vitest";
import { startRun } from "../../src/core/run.js";
import rsd from "../../src/methods/rsd.js";
import { openReward } from "../../src/rewards/index.js";
import { ScriptedModel } from "../../src/testing/index.js";
import { contextOf } from "./help.js";

const words = ["good 1\n\n", "good 2\n\n", "bad 2\n\n", "good 3\n\n", "done"];
const question = "What?";

/** Writes these steps; thinks little of a step that begins with "bad". */
const writer = (name: string, steps: readonly string[]) =>
  new ScriptedModel({
    name,
    pieces: words,
    size: { multiplied: name === "draft" ? 1000 : 20_000 },
    law: {
      steps: (_, done) => {
        const own = steps[done.length]!;
        const end = own === "done";
        const other = own.replace("good", "bad");
        return other === own
          ? [{ text: own, probability: 1, end }]
          : [
              { text: own, probability: 0.95, end },
              { text: other, probability: 0.05, end },
            ];
      },
    },
  });
const draft = writer("draft", ["good 1", "bad 2", "good 3", "done"]);
const target = writer("target", ["good 1", "good 2", "good 3", "done"]);

async function solve(judge: ScriptedModel) {
  const reward = await openReward("likelihood:target", contextOf(judge));
  const { steps, ledger } = await startRun({
    method: rsd,
    options: { threshold: 0.5 },
    question,
    system: null,
    roles: { draft, target, reward },
  }).result;
  await new Promise((resolve) => setImmediate(resolve));
  return { steps, ledger };
}

test("scores read in the target's own context are those of a read apart, and cost no second read to write", async () => {
  const shared = await solve(target);
  const apart = await solve(writer("target", ["good 1", "good 2", "good 3", "done"]));
  expect(shared.steps).toEqual(apart.steps);
  expect(shared.steps.map(({ origin }) => origin)).toEqual(["draft", "target", "draft", "draft"]);

  const prompt = (await target.renderChat([{ role: "user", content: question }])).tokens.length;
  const read = ({ ledger }: typeof shared) =>
    (ledger.target?.prefillTokens ?? 0) + (ledger.reward?.prefillTokens ?? 0);
  // Apart, the prompt and the step before the rewrite are read twice, and the rewrite itself; a step is one token.
  expect(read(apart) - read(shared)).toBe(prompt + 2);
  expect(shared.ledger.total.flops).toBeLessThan(apart.ledger.total.flops);
  expect(target.liveBranches).toBe(0);
});

test("a step that the target wrote is scored by what it said when writing, for nothing", async () => {
  const reward = await openReward("likelihood:target", contextOf(target));
  const method = {
    ...rsd,
    name: "target-scored",
    needs: { target: ["text"], reward: true } as const,
    async run(search: Parameters<typeof rsd.run>[0]) {
      const node = await search.extend(search.root, { role: "target" });
      await search.score(node);
      return search.finish(node);
    },
  };
  const { steps, ledger } = await startRun({ method, question, system: null, roles: { target, reward } })
    .result;
  expect(steps[0]!.reward).toBeCloseTo(0.95, 6);
  expect(ledger.reward).toMatchObject({ calls: 1, prefillTokens: 0, flops: 0 });
});
