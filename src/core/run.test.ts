import { expect, test } from "vitest";
import rsd from "../methods/rsd.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import { startRun } from "./run.js";
import type { RunEvent } from "./trace-event.js";

const pair = () => {
  const draft = new ScriptedModel({
    name: "small",
    law: {
      steps: (_, steps) =>
        steps.length === 2
          ? [{ text: "answer 3", probability: 1, end: true }]
          : [{ text: `guess ${steps.length}\n\n`, probability: 1 }],
    },
  });
  const target = new ScriptedModel({
    name: "large",
    size: { multiplied: 10_000 },
    law: { steps: (_, steps) => [{ text: `fact ${steps.length}\n\n`, probability: 1 }] },
  });
  const reward = new ScriptedReward({ score: (_, steps) => (steps.at(-1)!.includes("1") ? 0.2 : 0.9) });
  return { draft, target, reward };
};

test("rsd rewrites the weak step and says what it cost", async () => {
  const roles = pair();
  const run = startRun({ method: rsd, question: "1 + 2?", roles });
  const events: RunEvent[] = [];
  for await (const event of run) events.push(event);
  const result = await run.result;
  expect(result.text).toBe("guess 0\n\nfact 1\n\nanswer 3");
  expect(result.finish).toBe("stop");
  expect(result.steps.map((step) => step.origin)).toEqual(["draft", "target", "draft"]);
  expect(result.steps[1]!.rejected).toEqual([
    { origin: "draft", text: "guess 1\n\n", tokens: 9, reward: 0.2 },
  ]);
  expect(result.ledger.reward!.calls).toBe(3);
  expect(result.ledger.target!.calls).toBe(1);
  expect(result.ledger.draft!.discardedTokens).toBe(9);
  expect(roles.draft.liveBranches + roles.target.liveBranches + roles.reward.liveScorers).toBe(0);
  expect(events.map((event) => event.type).filter((type) => type !== "text-written")).toMatchSnapshot();
});
